//! Several conversations behind one shim.

use serde_json::json;
use tests::{
    World, enter, meet,
    result::{error_code, events, listed_chats, messages, ok, only_event, structured},
};

#[test]
fn entering_again_changes_nothing() {
    let world = World::serving(&[]);
    let client = world.client();
    let (chat, waiting) = enter(&client, json!({ "display_name": "Alice" }));
    for arguments in [json!({}), json!({ "topic": "elsewhere" }), json!({ "chat_id": chat.id })] {
        let again = client.call("enter_queue", arguments);
        assert_eq!(error_code(&again), "already_queued");
        assert!(again.to_string().contains(&chat.id), "it names the chat: {again:#}");
    }
    assert_eq!(chat.status()["queue"], waiting["queue"]);
    assert_eq!(world.status()["sessions"], 1);

    let other = world.client();
    enter(&other, json!({}));
    only_event(&chat.wait(), "chatroom.found");
    let while_chatting = client.call("enter_queue", json!({}));
    assert_eq!(error_code(&while_chatting), "already_queued");
    assert_eq!(listed_chats(structured(&while_chatting)), [&chat.id]);
    assert_eq!(chat.status()["state"], "chatting");
}

#[test]
fn entering_twice_at_the_same_time_opens_one_chat() {
    let world = World::empty(&[]);
    let client = world.client();
    let calls = [(); 5].map(|()| client.start_call("enter_queue", json!({})));
    let results = calls.map(|call| client.finish(&call));
    let refused = results.iter().filter(|result| result["isError"] == true);
    let codes: Vec<&str> = refused.map(error_code).collect();
    assert_eq!(codes, ["already_queued"; 4]);
    assert_eq!(world.status()["waiting"], 1);
}

#[test]
fn two_chats_of_one_shim_never_meet_each_other() {
    let world = World::serving(&[("match-wait", "1s")]);
    let (both, other) = (world.client(), world.client());
    let (first, _) = enter(&both, json!({ "display_name": "First" }));
    let (second, waiting) = enter(&both, json!({ "display_name": "Second", "new_chat": true }));
    assert_eq!(waiting["state"], "waiting");
    assert_eq!((&waiting["queue"]["own"], &waiting["queue"]["waiting"]), (&json!(1), &json!(1)));
    let waited = second.ok("wait_for_events", json!({ "timeout_seconds": 3 }));
    assert!(events(&waited).is_empty(), "longer than any waiver takes: {waited:#}");

    let (_, entered) = enter(&other, json!({}));
    let found = only_event(&entered, "chatroom.found");
    assert_eq!(found["partner"]["display_name"], "First");
    only_event(&first.wait(), "chatroom.found");
    assert_eq!(second.poll()["state"], "waiting");
}

#[test]
fn two_chats_of_one_shim_see_nothing_of_each_other() {
    let world = World::serving(&[]);
    let clients = [(); 3].map(|()| world.client());
    let (red, _) = enter(&clients[0], json!({ "topic": "red" }));
    let (blue, _) = enter(&clients[0], json!({ "topic": "blue", "new_chat": true }));
    let (red_partner, _) = enter(&clients[1], json!({ "topic": "red" }));
    let (blue_partner, _) = enter(&clients[2], json!({ "topic": "blue" }));
    only_event(&red.wait(), "chatroom.found");
    only_event(&blue.wait(), "chatroom.found");
    assert_ne!(red.room_id(), blue.room_id());

    let waits = [red.start_wait(), blue.start_wait()];
    red_partner.deliver("something red");
    assert_eq!(messages(structured(&clients[0].finish(&waits[0]))), ["something red"]);
    blue_partner.deliver("something blue");
    assert_eq!(messages(structured(&clients[0].finish(&waits[1]))), ["something blue"]);

    red_partner.deliver("red again");
    let blue_status = blue.status();
    assert!(events(&blue_status).is_empty());
    let others = json!([{ "chat_id": red.id, "state": "chatting", "unread": 1 }]);
    assert_eq!(blue_status["other_chats"], others);
    assert_eq!(messages(&red.poll()), ["red again"]);

    assert_eq!(red.leave()["state"], "ended");
    blue.deliver("still here");
    assert_eq!(messages(&blue_partner.poll()), ["still here"]);
    assert_eq!(blue.status().get("other_chats"), None);
}

#[test]
fn a_status_without_a_chat_lists_the_chats_and_hands_out_nothing() {
    let world = World::serving(&[]);
    let (alice, bob) = (world.client(), world.client());
    let (alice, bob) = meet(&alice, &bob);
    bob.deliver("hello");
    let result = alice.client.call("chat_status", json!({}));
    let status = ok(&result);
    assert_eq!(listed_chats(status), [&alice.id]);
    assert_eq!(status["other_chats"][0]["unread"], 1);
    assert!(events(status).is_empty());
    let relay = &status["relay"];
    assert_eq!(relay["connected"], true);
    assert_eq!(relay["socket"], world.socket().to_str().unwrap());
    assert_eq!(relay["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(relay["others_connected"], 1);
    assert_eq!(messages(&alice.poll()), ["hello"]);
}

#[test]
fn a_missing_chat_id_is_answered_with_the_list() {
    let world = World::serving(&[]);
    let client = world.client();
    let (red, _) = enter(&client, json!({ "topic": "red" }));
    let (blue, _) = enter(&client, json!({ "topic": "blue", "new_chat": true }));
    for tool in ["wait_for_events", "send_message", "next_partner", "leave_chat"] {
        let result = client.call(tool, json!({ "message": "hello" }));
        assert_eq!(error_code(&result), "chat_required");
        let mut listed = listed_chats(structured(&result));
        listed.sort_unstable();
        let mut chats = [&*red.id, &*blue.id];
        chats.sort_unstable();
        assert_eq!(listed, chats);
    }
}

#[test]
fn a_chat_id_has_eight_characters_and_an_ended_one_is_unknown() {
    let world = World::serving(&[]);
    let client = world.client();
    let (chat, _) = enter(&client, json!({}));
    assert_eq!(chat.id.chars().count(), 8);
    assert_eq!(chat.leave()["left"], "queue");
    chat.refused("unknown_chat", "wait_for_events", json!({}));
    let (again, _) = enter(&client, json!({}));
    assert_ne!(again.id, chat.id);
    assert_eq!(world.status()["waiting"], 1);
}

#[test]
fn a_shim_holds_sixteen_chats_and_idle_ones_give_way_oldest_first() {
    let world = World::serving(&[]);
    let full = world.client();
    let (oldest, _) = enter(&full, json!({ "topic": "oldest" }));
    let (newer, _) = enter(&full, json!({ "topic": "newer", "new_chat": true }));
    for (chat, topic) in [(&oldest, "oldest"), (&newer, "newer")] {
        let partner = world.client();
        let (partner, _) = enter(&partner, json!({ "topic": topic }));
        partner.leave();
        full.expect_notification("partner.disconnected");
        assert_eq!(chat.poll()["state"], "idle");
    }

    let open = |number: i32| json!({ "topic": format!("topic {number}"), "new_chat": true });
    for number in 0..16 {
        enter(&full, open(number));
    }
    oldest.refused("unknown_chat", "chat_status", json!({}));
    newer.refused("unknown_chat", "chat_status", json!({}));
    let refused = full.call("enter_queue", open(16));
    assert_eq!(error_code(&refused), "too_many");
    assert_eq!(world.status()["waiting"], 16, "a failed enter_queue leaves nothing behind");
}
