//! Texts and what becomes of each, from `shared/fixtures/text`.

use std::{fs, path::Path};

use serde_json::Value;

/// A text that somebody sends.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// The script that it is in, or the attack that it is.
    pub category: String,
    /// What it is, in its category.
    pub name: String,
    /// What is sent.
    pub input: String,
    /// What arrives and how many characters were removed, or the code of the error.
    pub outcome: Result<(String, u64), String>,
}

/// All of them, in a fixed order.
#[must_use]
pub fn texts() -> Vec<Fixture> {
    let directory =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("shared/fixtures/text");
    let files = ["legitimate.json", "invisible.json", "terminal.json", "visible.json"];
    files.iter().flat_map(|file| read(&directory.join(file))).collect()
}

fn read(path: &Path) -> Vec<Fixture> {
    let fixtures: Vec<Value> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    fixtures.iter().map(fixture).collect()
}

fn fixture(value: &Value) -> Fixture {
    let text = |field: &str| value[field].as_str().map(str::to_owned);
    let input = text("input").unwrap();
    let outcome = match text("error") {
        Some(error) => Err(error),
        None => {
            let removed = value["removed"].as_u64().unwrap_or(0);
            Ok((text("expected").unwrap_or_else(|| input.clone()), removed))
        }
    };
    Fixture { category: text("category").unwrap(), name: text("name").unwrap(), input, outcome }
}
