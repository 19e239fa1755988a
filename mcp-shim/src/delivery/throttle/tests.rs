use super::*;

const INTERVAL: Duration = Duration::from_millis(250);
const MS: Duration = Duration::from_millis(1);

/// Tells in time of changes at these milliseconds; returns when each key was told.
fn told(changes: &[(u32, char)]) -> Vec<(u128, char)> {
    let start = Instant::now();
    let mut throttle = Throttle::new(INTERVAL);
    let mut told = Vec::new();
    let mut changes = changes.iter().copied().peekable();
    loop {
        let change = changes.peek().map(|(at, _)| start + MS * *at);
        let Some(now) = [change, throttle.next_deadline()].into_iter().flatten().min() else {
            break;
        };
        while let Some((_, key)) = changes.next_if(|(at, _)| start + MS * *at <= now) {
            throttle.changed(key, now);
        }
        let due = throttle.take_due(now);
        assert!(throttle.next_deadline().is_none_or(|at| at > now), "it would spin");
        told.extend(due.into_iter().map(|key| ((now - start).as_millis(), key)));
    }
    told
}

#[test]
fn the_first_change_is_told_at_once_and_the_last_one_always() {
    assert_eq!(told(&[(5, 'a')]), [(5, 'a')]);
    assert_eq!(told(&[(5, 'a'), (6, 'a')]), [(5, 'a'), (255, 'a')]);
    let burst: Vec<_> = (0..50).map(|at| (at, 'a')).collect();
    assert_eq!(told(&burst), [(0, 'a'), (250, 'a')]);
    let long: Vec<_> = (0..=600).map(|at| (at, 'a')).collect();
    assert_eq!(told(&long), [(0, 'a'), (250, 'a'), (500, 'a'), (750, 'a')]);
}

#[test]
fn after_a_quiet_interval_a_change_is_told_at_once_again() {
    assert_eq!(told(&[(0, 'a'), (250, 'a'), (800, 'a')]), [(0, 'a'), (250, 'a'), (800, 'a')]);
}

#[test]
fn one_thing_does_not_hold_up_another() {
    let changes = [(0, 'a'), (10, 'a'), (20, 'b'), (30, 'b')];
    assert_eq!(told(&changes), [(0, 'a'), (20, 'b'), (250, 'a'), (270, 'b')]);
}

#[test]
fn nothing_is_kept_of_what_is_long_told() {
    let start = Instant::now();
    let mut throttle = Throttle::new(INTERVAL);
    for key in 0..100 {
        throttle.changed(key, start);
    }
    assert_eq!(throttle.take_due(start).len(), 100);
    throttle.changed(100, start + INTERVAL);
    assert_eq!(throttle.take_due(start + INTERVAL), [100]);
    assert_eq!((throttle.told.len(), throttle.due.len()), (1, 0));
}
