use super::*;

#[test]
fn a_client_that_is_pushed_news_is_not_told_to_wait_for_it() {
    for next in [
        Next::Tell,
        Next::Found,
        Next::Chatting,
        Next::Waiting,
        Next::Alone,
        Next::OwnOnly,
        Next::Sent,
        Next::Chats,
        Next::Gone,
        Next::LeftAtOnce,
        Next::Idle,
    ] {
        let next = next.sentence(News::Pushed);
        assert!(!next.contains("wait_for_events"), "{next}");
    }
}

#[test]
fn every_error_leaves_something_to_be_done() {
    for code in [
        ErrorCode::ChatRequired,
        ErrorCode::UnknownChat,
        ErrorCode::NotInRoom,
        ErrorCode::RateLimited,
        ErrorCode::RelayUnavailable,
        ErrorCode::SessionLost,
    ] {
        assert!(after_error(code).split(' ').count() >= 5, "{code:?}");
    }
}

#[test]
fn the_same_can_be_met_whether_news_is_pushed_or_not() {
    for next in [Next::Alone, Next::OwnOnly] {
        let [asked, pushed] =
            [News::Asked, News::Pushed].map(|news| next.sentence(news).split("Then").next());
        assert_eq!(asked, pushed);
    }
    assert!(Next::Alone.sentence(News::Asked).contains("unless the relay serves all accounts"));
}
