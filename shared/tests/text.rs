//! Cleaning, sizes and names.

use std::borrow::Cow;

use proptest::prelude::*;
use shared::{
    limits::{DISPLAY_NAME_CHARS, MESSAGE_BYTES, MESSAGE_LINES, MESSAGE_RAW_BYTES, TOPIC_CHARS},
    text::{
        DEFAULT_DISPLAY_NAME, DEFAULT_TOPIC, MessageError, NameError, clean, display_name,
        fold_topic, is_mixed_script, message, topic,
    },
};

fn assert_cleaned(text: &str, expected: &str, removed: u32) {
    let cleaned = clean(text);
    assert_eq!((&*cleaned.text, cleaned.removed), (expected, removed), "{text:?}");
}

#[test]
fn every_line_end_becomes_a_line_feed_and_does_not_count() {
    assert_cleaned(
        "a\rb\r\nc\u{85}d\u{b}e\u{c}f\u{2028}g\u{2029}h\n",
        "a\nb\nc\nd\ne\nf\ng\nh\n",
        0,
    );
    assert_cleaned("\r\r\n\n", "\n\n\n", 0);
}

#[test]
fn other_controls_go_and_count() {
    assert_cleaned("a\0b\u{7}c\u{1b}d\u{7f}e\u{9b}\tg", "abcde\tg", 5);
    assert_cleaned("\r\0\n", "\n\n", 1);
}

#[test]
fn what_remains_is_in_form_c() {
    assert_cleaned("e\u{301}", "\u{e9}", 0);
    assert_cleaned("e\0\u{301}", "\u{e9}", 1);
    assert_cleaned("\u{212b}", "\u{c5}", 0);
}

#[test]
fn what_needs_no_cleaning_is_borrowed() {
    for text in ["", "plain\ttext\n", "déjà vu", "👨‍👩‍👧 🇺🇳 👋🏽", "سلام", "नमस्ते", "สวัสดี", "Vec<T> & more"]
    {
        let cleaned = clean(text);
        assert!(matches!(cleaned.text, Cow::Borrowed(same) if same == text), "{text}");
        assert_eq!(cleaned.removed, 0);
    }
}

/// What cleaning decides about, and what it decides by.
const INTERESTING: [&str; 64] = [
    "a",
    "\u{65}",
    "1",
    "#",
    " ",
    "\n",
    "\r",
    "\t",
    "\u{1b}",
    "\u{1b}[",
    "\u{1b}[31m",
    "\u{1b}]",
    "[",
    "31",
    "m",
    "\u{9b}",
    "\u{90}",
    "\u{85}",
    "\u{2028}",
    "\u{200b}",
    "\u{200c}",
    "\u{200d}",
    "\u{200e}",
    "\u{61c}",
    "\u{202e}",
    "\u{2066}",
    "\u{2060}",
    "\u{34f}",
    "\u{3164}",
    "\u{ad}",
    "\u{fff9}",
    "\u{fffe}",
    "\u{e000}",
    "\u{fe0e}",
    "\u{fe0f}",
    "\u{fe00}",
    "\u{e0100}",
    "\u{20e3}",
    "\u{e0067}\u{e0062}",
    "\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "\u{e0041}",
    "\u{1f3f4}",
    "\u{1f468}",
    "\u{1f3fd}",
    "\u{1f1e9}",
    "\u{2194}",
    "\u{338}",
    "\u{301}",
    "\u{323}",
    "\u{93c}",
    "\u{915}",
    "\u{94d}",
    "\u{9b0}",
    "\u{9c7}",
    "\u{9be}",
    "\u{628}",
    "\u{627}",
    "\u{654}",
    "\u{1820}",
    "\u{180b}\u{180e}",
    "\u{e01}",
    "\u{e34}",
    "\u{845b}",
    "\u{1d160}",
];

fn interesting() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => prop::sample::select(&INTERESTING[..]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn cleaning_is_idempotent_and_leaves_no_controls(
        text in prop_oneof![1 => any::<String>(), 4 => interesting()],
    ) {
        let once = clean(&text);
        prop_assert!(!once.text.contains(|c: char| c.is_control() && c != '\t' && c != '\n'));
        prop_assert!(once.text.len() <= 3 * text.len(), "grown from {}", text.len());
        let twice = clean(&once.text);
        prop_assert_eq!(&twice.text, &once.text);
        prop_assert!(matches!(twice.text, Cow::Borrowed(_)));
        prop_assert_eq!(twice.removed, 0);
    }
}

proptest! {

    #[test]
    fn folding_is_idempotent(text in "\\PC{0,20}") {
        let once = fold_topic(&text);
        prop_assert_eq!(fold_topic(&once), once);
    }

    #[test]
    fn an_accepted_name_is_accepted_again_unchanged(name in any::<String>()) {
        if let Ok(accepted) = display_name(&name) {
            prop_assert_eq!(display_name(&accepted), Ok(accepted));
        }
    }
}

fn size_checked(text: &str) -> Result<String, MessageError> {
    message(text, MESSAGE_BYTES, MESSAGE_LINES).map(|cleaned| cleaned.text.into_owned())
}

#[test]
fn a_message_is_taken_up_to_the_limits_and_refused_whole_beyond_them() {
    let longest = "x".repeat(MESSAGE_BYTES);
    assert_eq!(size_checked(&longest).as_ref(), Ok(&longest));
    let error = size_checked(&format!("{longest}x")).unwrap_err();
    let (max_bytes, max_lines) = (MESSAGE_BYTES, MESSAGE_LINES);
    assert_eq!(error, MessageError::TooLong { bytes: 8193, max_bytes, lines: 1, max_lines });
    assert_eq!(
        error.to_string(),
        "the message has 8193 bytes and 1 lines; at most 8192 bytes and 200 lines are allowed"
    );

    let most_lines = "x\n".repeat(MESSAGE_LINES);
    assert_eq!(size_checked(&most_lines).as_ref(), Ok(&most_lines));
    let one_more = format!("{most_lines}x");
    let error = MessageError::TooLong { bytes: 401, max_bytes, lines: 201, max_lines };
    assert_eq!(size_checked(&one_more), Err(error));
}

#[test]
fn the_limits_hold_after_cleaning_but_not_for_any_length_before_it() {
    let mostly_noise = "\0".repeat(MESSAGE_RAW_BYTES - 5) + "hello";
    assert_eq!(size_checked(&mostly_noise), Ok("hello".into()));
    assert!(matches!(
        size_checked(&format!("\0{mostly_noise}")),
        Err(MessageError::TooLong { bytes, .. }) if bytes == MESSAGE_RAW_BYTES + 1
    ));
    assert_eq!(message("a\0b", 2, 1).map(|cleaned| cleaned.removed), Ok(1));
}

#[test]
fn a_message_has_something_to_see() {
    for text in ["", " ", "\n\t \u{a0}\u{2003}\r\n"] {
        assert_eq!(size_checked(text), Err(MessageError::Empty), "{text:?}");
    }
    for text in ["\0", "\u{1b} \u{7}", "\u{200b}", "\u{2800}", "\u{3164}", "\u{e0041}"] {
        assert_eq!(size_checked(text), Err(MessageError::Unprintable), "{text:?}");
    }
    assert_eq!(size_checked("."), Ok(".".into()));
}

#[test]
fn names_of_all_scripts_are_kept() {
    for name in [
        DEFAULT_DISPLAY_NAME,
        DEFAULT_TOPIC,
        "Anne-Marie O'Neil jr. 2_3",
        "Łukasz",
        "李雷",
        "Ольга",
        "مُحَمَّد",
        "कृष्णा",
        "สมชาย",
        "٣",
    ] {
        assert_eq!(display_name(name).as_deref(), Ok(name));
        assert_eq!(topic(name).as_deref(), Ok(name));
    }
    assert_eq!(display_name(" \tZoe\u{308}\n").as_deref(), Ok("Zoë"), "trimmed, form C");
    assert_eq!(display_name("a  b").as_deref(), Ok("a  b"), "nothing is collapsed");
}

#[test]
fn names_with_other_characters_are_refused_by_code_point() {
    for (name, code_point) in [
        ("a\tb", 0x9),
        ("a\u{1b}[2Jb", 0x1b),
        ("<b>", 0x3c),
        ("a`b", 0x60),
        ("a\u{202e}b", 0x202e),
        ("a\u{200d}b", 0x200d),
        ("a\u{3164}b", 0x3164),
        ("a\u{fe0f}b", 0xfe0f),
        ("O\u{2019}Neil", 0x2019),
        ("〈a〉", 0x3008),
        ("a😀", 0x1f600),
        ("a\u{a0}b", 0xa0),
        ("a\u{e000}", 0xe000),
        ("a\u{e0041}", 0xe0041),
    ] {
        assert_eq!(display_name(name), Err(NameError::Forbidden { code_point }), "{name:?}");
        let shown = display_name(name).unwrap_err().to_string();
        assert!(shown.starts_with(&format!("U+{code_point:04X} is not allowed")), "{shown}");
    }
}

#[test]
fn marks_of_names_are_on_letters_and_few() {
    let stacked = format!("e{}", "\u{323}".repeat(10));
    for (name, code_point) in [
        ("\u{338}Bob", 0x338),
        ("Bob \u{301}", 0x301),
        ("Bob.\u{20dd}", 0x20dd),
        (&*stacked, 0x323),
    ] {
        assert_eq!(display_name(name), Err(NameError::Misplaced { code_point }), "{name:?}");
        let shown = topic(name).unwrap_err().to_string();
        assert!(shown.starts_with(&format!("U+{code_point:04X} is not allowed there")), "{shown}");
    }
    for name in ["กี่ปู่ผู้", "क़ु 1\u{301}", "Ẹ\u{300}kọ\u{301}", "שָּׁלוֹם"]
    {
        assert!(display_name(name).is_ok(), "{name}");
    }
}

#[test]
fn a_name_of_mixed_scripts_is_told_from_one_that_is_not() {
    for name in [
        "Alice",
        "Zoë-2",
        "Ольга",
        "李雷 Lee",
        "ゆきYuki",
        "김 Kim",
        "ㄅㄆ Bo",
        "東京タワー",
        "مُحَمَّد",
        "ᎣᏏᏲ",
        "कृष्णा 3",
        "٣",
        "O'Neil jr.",
        "μ",
    ] {
        assert!(!is_mixed_script(name), "{name}");
    }
    for name in ["p\u{430}ypal", "Аlice", "Αlpha", "Ольга Smith", "Sаm", "admin ادمين", "한자かな"]
    {
        assert!(is_mixed_script(name), "{name}");
    }
}

#[test]
fn names_have_a_length() {
    for name in ["", "  ", "-", "' . _", "\u{301}"] {
        assert_eq!(display_name(name), Err(NameError::Empty), "{name:?}");
    }
    let longest = "é".repeat(DISPLAY_NAME_CHARS);
    assert_eq!(display_name(&longest).as_ref(), Ok(&longest));
    assert_eq!(
        display_name(&format!("{longest}é")),
        Err(NameError::TooLong { chars: 33, max_chars: 32 })
    );
    let longest = "é".repeat(TOPIC_CHARS);
    assert_eq!(topic(&longest).as_ref(), Ok(&longest));
    assert_eq!(topic(&format!("{longest}é")), Err(NameError::TooLong { chars: 65, max_chars: 64 }));
}

#[test]
fn topics_are_the_same_whatever_their_case() {
    for (one, other) in [
        ("Open", "oPEN"),
        ("STRASSE", "straße"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("Zoe\u{308}", "ZOË"),
        ("ОЛЬГА", "ольга"),
    ] {
        assert_eq!(fold_topic(one), fold_topic(other));
    }
    for (one, other) in [("open", "0pen"), ("a b", "ab"), ("e", "é"), ("i", "ı")] {
        assert_ne!(fold_topic(one), fold_topic(other));
    }
}
