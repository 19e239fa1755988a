//! Texts from many scripts and many attacks, and what becomes of each. The same files are sent
//! through real shims by the end-to-end tests.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{borrow::Cow, collections::BTreeSet, fs, path::Path};

use serde::Deserialize;
use shared::{
    limits::{MESSAGE_BYTES, MESSAGE_LINES},
    text::{MessageError, clean, message},
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    category: String,
    name: String,
    input: String,
    /// Where it is missing, the text comes through unchanged.
    expected: Option<String>,
    #[serde(default)]
    removed: u32,
    /// The code of the error that its sender gets.
    error: Option<String>,
}

fn fixtures(file: &str) -> Vec<Fixture> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/text").join(file);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

const HOSTILE: [&str; 3] = ["invisible.json", "terminal.json", "visible.json"];

fn hostile() -> Vec<Fixture> {
    HOSTILE.into_iter().flat_map(fixtures).collect()
}

fn code(error: MessageError) -> &'static str {
    match error {
        MessageError::Empty => "message_empty",
        MessageError::TooLong { .. } => "message_too_long",
        MessageError::Unprintable => "message_unprintable",
    }
}

/// What is wrong with the outcome, if something is.
fn judge(fixture: &Fixture) -> Option<String> {
    let Fixture { category, name, input, expected, removed, error } = fixture;
    let expected = expected.as_ref().unwrap_or(input);
    let wrong = match (message(input, MESSAGE_BYTES, MESSAGE_LINES), error) {
        (Ok(cleaned), None) if cleaned.text == *expected && cleaned.removed == *removed => None,
        (Err(refused), Some(error)) if code(refused) == error => None,
        (outcome, _) => Some(format!("{category}, {name}: {outcome:?}")),
    };
    wrong.or_else(|| {
        let again = clean(expected);
        let settled = again.removed == 0 && again.text == *expected;
        (error.is_none() && !settled).then(|| format!("{category}, {name}: not settled"))
    })
}

fn assert_all(fixtures: &[Fixture]) {
    let wrong: Vec<String> = fixtures.iter().filter_map(judge).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn categories(fixtures: &[Fixture]) -> BTreeSet<&str> {
    fixtures.iter().map(|fixture| &*fixture.category).collect()
}

#[test]
fn what_people_write_comes_through_unchanged_and_is_not_even_copied() {
    let fixtures = fixtures("legitimate.json");
    assert_all(&fixtures);
    for Fixture { category, name, input, .. } in &fixtures {
        let borrowed = matches!(clean(input).text, Cow::Borrowed(_));
        assert!(borrowed, "{category}, {name} was copied");
    }
    let categories = categories(&fixtures).len();
    assert!(fixtures.len() >= 120 && categories >= 55, "{} of {categories}", fixtures.len());
}

#[test]
fn what_attackers_write_becomes_what_the_fixtures_say() {
    let fixtures = hostile();
    assert_all(&fixtures);
    let categories = categories(&fixtures).len();
    assert!(fixtures.len() >= 160 && categories >= 25, "{} of {categories}", fixtures.len());
}
