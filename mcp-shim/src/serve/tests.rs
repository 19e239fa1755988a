use std::{
    cell::Cell,
    future::{pending, ready},
};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_delays_the_end_by_no_more_than_one_farewell() {
    let begun = Instant::now();
    let left = Cell::new(None);
    let leave = || left.set(Some(begun.elapsed()));
    farewell(pending(), leave, pending(), pending()).await.unwrap();
    assert!(begun.elapsed() <= FAREWELL + Duration::from_millis(1), "{:?}", begun.elapsed());
    assert!(left.get().is_some_and(|at| at < FAREWELL), "the chats have to be left before");
}

#[tokio::test(start_paused = true)]
async fn the_end_comes_as_soon_as_the_chats_are_left() {
    let begun = Instant::now();
    farewell(ready(()), || {}, ready(()), ready(Ok(()))).await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn the_death_of_the_driver_is_noticed_and_an_error() {
    for (mut driver, how) in [
        (tokio::spawn(async { panic!("a broken invariant") }), "panicked"),
        (tokio::spawn(ready(())), "ended"),
    ] {
        let error = unless_it_dies(&mut driver, pending::<()>()).await.unwrap_err().to_string();
        assert!(error.contains(how), "{error}");
    }
    let mut driver = tokio::spawn(pending());
    assert!(unless_it_dies(&mut driver, ready(true)).await.unwrap());
}
