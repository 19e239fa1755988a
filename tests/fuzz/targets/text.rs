//! Words, names and topics of a stranger: cleaning is settled after once, leaves nothing that could
//! harm a terminal, and what passes for a name passes again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::{
    limits::{DISPLAY_NAME_CHARS, TOPIC_CHARS},
    text,
};

fuzz_target!(|words: &str| {
    let cleaned = text::clean(words);
    assert!(cleaned.text.len() <= 3 * words.len());
    let harmful = |c: char| c.is_control() && c != '\n' && c != '\t';
    assert!(!cleaned.text.contains(harmful), "{cleaned:?}");
    let hidden = ['\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}', '\u{feff}', '\u{e000}'];
    assert!(!cleaned.text.contains(hidden), "{cleaned:?}");
    let again = text::clean(&cleaned.text);
    assert_eq!((&again.text, again.removed), (&cleaned.text, 0));

    if let Ok(name) = text::display_name(words) {
        assert!((1..=DISPLAY_NAME_CHARS).contains(&name.chars().count()), "{name:?}");
        assert_eq!(text::display_name(&name).as_ref(), Ok(&name));
        assert_eq!(text::clean(&name).text, name);
    }
    if let Ok(topic) = text::topic(words) {
        assert!((1..=TOPIC_CHARS).contains(&topic.chars().count()), "{topic:?}");
        assert_eq!(text::topic(&topic).as_ref(), Ok(&topic));
    }
});
