//! Tasks: their ids, and how many are kept.

use super::*;

#[test]
fn an_unknown_one_is_unknown_to_all_three() {
    let mut case = Case::new();
    let chat = case.chatting();
    let task = case.task(chat);
    case.skip();
    for id in ["", "0", &task[1..], &format!("{task}0")] {
        case.get(id);
        case.ask_task(TaskRequest::Update(id.to_owned()));
        case.cancel(id);
        let calls = case.calls;
        let lines = [calls - 2, calls - 1, calls].map(|call| format!("~ {call} unknown"));
        case.expect([&*lines[0], &*lines[1], &*lines[2]]);
    }
    case.ask_task(TaskRequest::Update(task));
    case.expect([&*format!("~ {} noted", case.calls)]);
}

#[test]
fn ids_are_long_and_differ() {
    let mut case = Case::new();
    let chat = case.chatting();
    let ids = [(); 20].map(|()| case.task(chat));
    for (index, id) in ids.iter().enumerate() {
        assert_eq!(id.len(), 32);
        assert!(!ids[..index].contains(id));
    }
}

#[test]
fn sixty_four_are_kept_and_the_first_that_was_over_gives_way() {
    let mut case = Case::new();
    let chat = case.chatting();
    let mut tasks = [(); limits::TASKS].map(|()| case.task(chat)).to_vec();
    let call = case.call_for_task(chat);
    // It waits as it would without tasks.
    case.is_pending(call);
    case.input(Input::Cancelled(call));

    // The ninth is over before the third, and the third before all others.
    case.cancel(&tasks[8]);
    case.pass(MOMENT);
    case.cancel(&tasks[2]);
    case.pass(MOMENT);
    case.hears(chat, 1, "hi");
    assert_eq!(texts(&case.result(&tasks[5])), ["hi"]);
    for gone in [8, 2] {
        assert_eq!(case.look_at(&tasks[gone]).status, TaskStatus::Cancelled);
        tasks.push(case.task(chat));
        case.skip();
        let call = case.get(&tasks[gone].clone());
        case.expect([&*format!("~ {} unknown", call.0)]);
    }
    // What none has told is lost with none.
    case.hears(chat, 2, "there");
    for _ in 0..limits::TASKS {
        case.look(chat);
        case.task(chat);
    }
    case.skip();
    let call = case.get(&tasks[5]);
    case.expect([&*format!("~ {} unknown", call.0)]);
}

#[test]
fn over_and_over_in_one_life() {
    let mut case = Case::unhurried();
    let chat = case.chatting();
    for seq in 1..=300 {
        let task = case.task(chat);
        case.hears(chat, seq, "hi");
        assert_eq!(cursors(&case.result(&task)), [seq + 1]);
    }
}

#[test]
fn a_chat_whose_task_gave_way_is_not_listened_to_by_it() {
    let mut case = Case::new();
    let [red, blue] = [case.chatting(), case.chatting()];
    case.task(red);
    case.hears(red, 1, "hi");
    for _ in 1..limits::TASKS {
        case.task(blue);
    }
    case.skip();
    let call = case.call_for_task(blue);
    case.expect([&*format!("~ {} working", call.0)]);
    case.pass(limits::ATTENTION_LINGER);
    case.expect(["> attention false"]);
}
