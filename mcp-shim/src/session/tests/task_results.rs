//! What a task brings: composed at the first look after its end, told once to everybody together,
//! and to its own client the same each time.

use super::{tasks::completed, *};

#[test]
fn it_is_the_same_each_time() {
    let mut case = Case::new();
    let chat = case.chatting();
    let task = case.task(chat);
    case.hears(chat, 1, "one");
    case.pass(SECOND);
    // Until it is looked at, more can come.
    case.hears(chat, 2, "two");
    case.skip();
    let first = case.look_at(&task);
    case.expect([&*format!("~ {} completed", case.calls), "> ack 1 2/2"]);
    assert_eq!(texts(&completed(first.clone())), ["one", "two"]);
    case.hears(chat, 3, "three");
    case.relay(chat, closed(1, CloseReason::Left));
    case.pass(SECOND);
    assert_eq!(case.look_at(&task), first);
    assert_eq!(cursors_of(&case.look(chat)), [4, 5]);
    assert_eq!(case.look_at(&task), first);
}

fn cursors_of(view: &ChatView) -> Vec<u64> {
    view.events.iter().map(|entry| entry.cursor).collect()
}

#[test]
fn it_leaves_out_what_another_result_has_taken() {
    let mut case = Case::new();
    let chat = case.chatting();
    let task = case.task(chat);
    case.hears(chat, 1, "one");
    let call = case.call(say(chat, "hello"));
    case.relay(chat, ack(1, 1, 0));
    assert_eq!(texts(&case.read(call)), ["one"]);
    let reply = case.result(&task);
    assert_eq!((cursors(&reply), view(&reply).cursor), (vec![], 2));

    // Also what is only on its way, and brings the rest.
    let task = case.task(chat);
    case.hears(chat, 2, "two");
    let call = case.call(status(chat));
    case.hears(chat, 3, "three");
    assert_eq!(texts(&case.result(&task)), ["three"]);
    case.settle(call, false);
    assert_eq!(cursors_of(&case.look(chat)), [3]);
}

#[test]
fn an_open_wait_comes_first() {
    let mut case = Case::new();
    let chat = case.chatting();
    let task = case.task(chat);
    let call = case.call(wait(chat, LONG));
    case.hears(chat, 1, "hi");
    let reply = case.unwritten(call);
    assert_eq!(texts(&reply), ["hi"]);
    let status = case.look_at(&task).status;
    assert!(matches!(status, TaskStatus::Working(_)), "{status:?}");
    // It comes back.
    case.settle(call, false);
    assert_eq!(texts(&case.result(&task)), ["hi"]);
}

#[test]
fn two_for_one_chat_end_together_and_share_what_there_is() {
    let mut case = Case::new();
    let chat = case.chatting();
    let [one, two] = [case.task(chat), case.task(chat)];
    case.hears(chat, 1, "hi");
    let [first, second] = [case.result(&two), case.result(&one)];
    assert_eq!((texts(&first), texts(&second)), (vec!["hi"], vec![]));
    case.hears(chat, 2, "there");
    assert_eq!((case.result(&two), case.result(&one)), (first, second));
    assert_eq!(cursors_of(&case.look(chat)), [3]);
}

#[test]
fn those_of_several_chats_have_nothing_to_do_with_each_other() {
    let mut case = Case::new();
    let [red, blue] = [case.chatting(), case.chatting()];
    let [of_red, of_blue] = [case.task(red), case.task(blue)];
    case.skip();
    case.hears(blue, 1, "hi");
    case.expect(["2: ! 2 message.received", "2: > ack 1 1/0"]);
    assert!(matches!(case.look_at(&of_red).status, TaskStatus::Working(_)));
    let reply = case.result(&of_blue);
    assert_eq!((view(&reply).chat_id, texts(&reply)), (blue, vec!["hi"]));
    assert_eq!(reply.other_chats[0].chat_id, red);
}

#[test]
fn an_answer_that_was_not_written_has_told_nothing() {
    for cancelled in [false, true] {
        let mut case = Case::new();
        let chat = case.chatting();
        let task = case.task(chat);
        case.hears(chat, 1, "one");
        let call = case.get(&task);
        assert_eq!(texts(&completed(case.tasks.remove(&call).unwrap())), ["one"]);
        case.hears(chat, 2, "two");
        case.skip();
        if cancelled {
            case.input(Input::Cancelled(call));
        } else {
            case.settle(call, false);
        }
        case.expect([]);
        // Whoever asks next has it, be it another tool or the task.
        assert_eq!(cursors_of(&case.look(chat)), [2, 3]);
        case.hears(chat, 3, "three");
        assert_eq!(texts(&case.result(&task)), ["three"]);
        assert_eq!(texts(&case.result(&task)), ["three"]);
    }
}

#[test]
fn whoever_asks_while_an_answer_is_on_its_way_waits_for_its_fate() {
    let mut case = Case::new();
    let chat = case.chatting();
    let task = case.task(chat);
    case.hears(chat, 1, "one");
    let [one, two, three, four] = [(); 4].map(|()| case.get(&task));
    assert!(case.tasks.remove(&one).is_some() && case.tasks.is_empty());
    case.hears(chat, 2, "two");
    case.input(Input::Cancelled(three));
    case.skip();
    case.settle(one, false);
    case.expect([&*format!("~ {} completed", two.0)]);
    case.settle(two, true);
    assert!(!case.tasks.contains_key(&three));
    let [two, four] = [two, four].map(|call| case.tasks.remove(&call).unwrap());
    assert_eq!(two, four);
    assert_eq!(texts(&completed(two)), ["one", "two"]);
    assert!(case.look(chat).events.is_empty());
}

#[test]
fn what_is_on_its_way_does_not_give_way_to_another_task() {
    let mut case = Case::new();
    let chat = case.chatting();
    let task = case.task(chat);
    case.hears(chat, 1, "hi");
    let call = case.get(&task);
    for _ in 1..limits::TASKS {
        case.task(chat);
    }
    let another = case.call_for_task(chat);
    case.is_pending(another);
    case.input(Input::Cancelled(another));
    case.settle(call, true);
    assert_eq!(texts(&case.result(&task)), ["hi"]);
    case.task(chat);
    assert!(case.look(chat).events.is_empty());
}

#[test]
fn what_was_shown_of_a_chat_that_is_gone_is_told_again() {
    let mut case = Case::new();
    let chat = case.chatting();
    let task = case.task(chat);
    case.hears(chat, 1, "hi");
    let get = case.get(&task);
    let call = case.call(leave(chat));
    assert!(view(&case.read(call)).events.is_empty());
    case.relay(chat, left(1));
    assert!(case.sessions.is_done());
    case.settle(get, false);
    assert_eq!(texts(&case.result(&task)), ["hi"]);
}

#[test]
fn after_counts_once_when_the_task_is_made() {
    let mut case = Case::new();
    let chat = case.chatting();
    case.hears(chat, 1, "one");
    case.look(chat);
    let call = case.call(Request::WaitForEvents {
        chat_id: Some(chat.to_string()),
        after: Some(2),
        timeout: LONG,
        task: true,
    });
    let task = case.tasks[&call].task_id.to_string();
    case.settle(call, true);
    case.hears(chat, 2, "two");
    case.look(chat);
    case.hears(chat, 3, "three");
    assert_eq!(texts(&case.result(&task)), ["three"]);
}
