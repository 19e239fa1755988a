use shared::message::Author;

use super::*;
use crate::session::event::Sender;

#[test]
fn a_message_longer_than_a_result_is_handed_out_alone() {
    let mut inbox = Inbox::default();
    for text in ["é".repeat(limits::RESULT_CHARS + 1), "hi".to_owned()] {
        inbox.push(
            String::new(),
            Event::Message {
                room_id: String::new(),
                message_id: String::new(),
                from: Sender { display_name: "Bob".to_owned() },
                author: Author::User,
                message: text,
                sent_at: String::new(),
                removed: None,
            },
        );
    }
    let loan = inbox.lend(CallId(1), None);
    assert_eq!((loan.events.len(), loan.cursor, loan.more), (1, 1, true));
}
