//! What a session learns of its partner's connection, and of rooms that close by themselves.

use serde_json::json;
use tests::{
    Signal, World, enter, eventually, meet,
    result::{event_types, only_event},
};

#[test]
fn a_partner_whose_program_dies_is_away_and_then_gone() {
    let world = World::serving(&[("away-after", "1s"), ("grace", "3s")]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    let room_id = alice.room_id();
    bob.client.signal(Signal::STOP);
    let said = alice.say("can you hear me?");
    assert_eq!(said["delivery"], "pending");
    bob.client.signal(Signal::KILL);

    let away = alice.wait();
    assert_eq!(only_event(&away, "partner.away")["room_id"], room_id);
    assert_eq!(away["state"], "chatting");
    assert_eq!(away["room"]["partner"]["presence"], "reconnecting");
    let gone = alice.wait();
    let disconnected = only_event(&gone, "partner.disconnected");
    assert_eq!(disconnected["reason"], "timeout");
    assert_eq!(disconnected["room_id"], room_id);
    assert_eq!(disconnected["undelivered"], json!([said["message_id"]]));
    assert_eq!(gone["state"], "idle");
    assert_eq!(world.status()["sessions"], 1);
}

#[test]
fn a_partner_that_hangs_is_away_and_comes_back() {
    let world = World::serving(&[("keep-alive", "1s"), ("away-after", "1s")]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    bob.client.signal(Signal::STOP);
    only_event(&alice.wait(), "partner.away");
    let said = alice.say("still there?");
    assert_eq!(said["delivery"], "pending");
    bob.client.signal(Signal::CONT);
    only_event(&alice.wait(), "partner.back");
    let heard = eventually("Bob hears what was said meanwhile", || {
        let polled = bob.poll();
        event_types(&polled).contains(&"message.received").then_some(polled)
    });
    let heard = only_event(&heard, "message.received");
    assert_eq!(heard["message_id"], said["message_id"]);
    bob.deliver("here again");
}

#[test]
fn presence_of_a_quiet_partner_is_shown() {
    let world = World::serving(&[("listening-for", "1s")]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    let seen = || alice.status()["room"]["partner"].clone();
    eventually("Bob is seen to be quiet, and for how long", || {
        let partner = seen();
        let seconds = partner["seconds_since_seen"].as_i64().unwrap();
        (partner["presence"] == "not_listening" && seconds >= 1).then_some(())
    });
    let wait = bob.start_wait();
    eventually("Bob is seen to listen", || (seen()["presence"] == "listening").then_some(()));
    bob.client.cancel(&wait);
}

#[test]
fn a_room_without_a_message_closes() {
    let world = World::serving(&[("room-idle", "2s")]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    for chat in [alice, bob] {
        let told = chat.wait();
        assert_eq!(only_event(&told, "partner.disconnected")["reason"], "idle");
        assert_eq!(told["state"], "idle");
    }
    assert_eq!(world.status()["rooms"], 0);
}

#[test]
fn a_waiting_program_that_dies_loses_its_place_after_the_grace() {
    let world = World::serving(&[("grace", "2s")]);
    let (first, second, third) = (world.client(), world.client(), world.client());
    enter(&first, json!({}));
    first.signal(Signal::KILL);
    let only_the_one_that_asks = || (world.status()["connections"] == 1).then_some(());
    eventually("the relay has noticed", only_the_one_that_asks);
    let (second, waiting) = enter(&second, json!({}));
    assert_eq!(waiting["state"], "waiting");
    eventually("the place is lost", || (world.status()["waiting"] == 1).then_some(()));
    assert_eq!(second.status()["queue"]["position"], 1);
    let (_, entered) = enter(&third, json!({}));
    only_event(&entered, "chatroom.found");
}
