//! The documents of the repository: what they show, and where they link to.

use std::path::{Path, PathBuf};

/// All of them, by their path in the repository.
pub const DOCUMENTS: [&str; 6] = [
    "README.md",
    "mcp-shim/README.md",
    "relay/README.md",
    "shared/README.md",
    "shared/SECURITY.md",
    "tests/README.md",
];

/// The directory of the repository.
#[must_use]
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The text of a document.
#[must_use]
pub fn read(document: &str) -> String {
    let path = workspace().join(document);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The blocks of code of this language.
#[must_use]
pub fn blocks(document: &str, language: &str) -> Vec<String> {
    let text = read(document);
    let begin = format!("```{language}\n");
    let blocks = text.split(&begin).skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.map(str::to_owned).collect()
}

/// The lines that a document tells its reader to type into a shell.
#[must_use]
pub fn shell_lines(document: &str) -> Vec<String> {
    let lines = |language| {
        let blocks = blocks(document, language);
        blocks.iter().flat_map(|block| block.lines()).map(str::to_owned).collect::<Vec<_>>()
    };
    let typed = lines("text").into_iter().filter_map(|line| Some(line.strip_prefix("$ ")?.into()));
    lines("sh").into_iter().chain(typed).collect()
}

/// What stands in backticks within the text, blocks of code left out.
#[must_use]
pub fn inline_code(document: &str) -> Vec<String> {
    without_blocks(document).split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Where a document links to: the file, and the heading in it if one is named.
#[must_use]
pub fn links(document: &str) -> Vec<(PathBuf, Option<String>)> {
    let folder = workspace().join(document).parent().unwrap().to_owned();
    let text = without_blocks(document);
    let targets = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
    let place = |target: &str| {
        let (path, heading) = target.split_once('#').unwrap_or((target, ""));
        let file = if path.is_empty() { workspace().join(document) } else { folder.join(path) };
        (file, Some(heading.to_owned()).filter(|heading| !heading.is_empty()))
    };
    targets.map(place).collect()
}

/// The names under which the headings of a file can be linked to.
#[must_use]
pub fn headings(file: &Path) -> Vec<String> {
    let document = file.canonicalize().unwrap();
    let document = document.strip_prefix(workspace().canonicalize().unwrap()).unwrap();
    let text = without_blocks(document.to_str().unwrap());
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let name = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
    };
    headings.map(name).collect()
}

fn without_blocks(document: &str) -> String {
    let text = read(document);
    text.split("```").step_by(2).collect()
}
