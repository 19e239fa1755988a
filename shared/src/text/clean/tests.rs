use proptest::prelude::*;

use super::cleaned_in_rounds;
use crate::limits::MARKS_PER_BASE;

/// What settling takes: a round for each mark of a full stack, one that takes out what never had
/// a place, and one that finds nothing.
const MOST_ROUNDS: u32 = MARKS_PER_BASE as u32 + 2;

#[test]
fn clean_text_takes_one_round() {
    for text in ["déjà vu", "می‌خواهم", "ක්‍ෂ", "👨‍👩‍👧", "র‍্য"]
    {
        assert_eq!(cleaned_in_rounds(text).1, 1, "{text}");
    }
}

#[test]
fn a_joiner_may_lose_its_virama_to_the_order_of_marks() {
    let virama_and_joiner = "\u{94d}\u{200d}";
    let text = format!("\u{915}\u{301}\u{34f}{}", virama_and_joiner.repeat(MARKS_PER_BASE));
    let (cleaned, rounds) = cleaned_in_rounds(&text);
    assert!((3..=MOST_ROUNDS).contains(&rounds), "{rounds} rounds");
    assert_eq!(cleaned.text, format!("\u{915}{}\u{301}", "\u{94d}".repeat(7)));
    let (_, rounds_of_many) = cleaned_in_rounds(&text.repeat(100));
    assert_eq!(rounds_of_many, rounds, "all stacks are settled at once");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Made of what makes rounds: marks of several classes, viramas, joiners, letters that join.
    #[test]
    fn rounds_are_few(
        text in "[\u{915}\u{9b0}\u{628}\u{627}\u{301}\u{323}\u{93c}\u{94d}\u{9cd}\u{654}\u{34f}\u{200b}-\u{200f}\u{9c7}\u{9be}\u{e49}]{0,80}",
    ) {
        let rounds = cleaned_in_rounds(&text).1;
        prop_assert!(rounds <= MOST_ROUNDS, "{} rounds", rounds);
    }
}
