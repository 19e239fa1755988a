//! Tidiness is a test.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use tests::documents::{self, DOCUMENTS, workspace};

const LINES: usize = 400;
const README_BYTES: usize = 12_288;

/// Crates whose core is told the time, given its seed, and iterates in a fixed order.
const PURE: [&str; 2] = ["relay/src/lobby", "mcp-shim/src/session"];
const IMPURE: [&str; 8] =
    ["Instant::now", "SystemTime::now", "elapsed", "HashMap", "HashSet", "tokio", "async", "rand"];

/// All files that belong to the project, in a fixed order.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap();
        name != "target" && name != ".git" && name != "node_modules" && !path.is_symlink()
    };
    let ours = entries.into_iter().filter(is_ours);
    ours.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    files(directory).into_iter().filter(is_rust).collect()
}

#[test]
fn no_file_is_longer_than_one_can_take_in() {
    let long: Vec<String> = rust_files(workspace())
        .into_iter()
        .map(|path| (fs::read_to_string(&path).unwrap().lines().count(), path))
        .filter(|(lines, _)| *lines > LINES)
        .map(|(lines, path)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "more than {LINES} lines:\n{}", long.join("\n"));
}

#[test]
fn the_cores_are_pure() {
    let mut found = Vec::new();
    let files = PURE.iter().flat_map(|directory| rust_files(&workspace().join(directory)));
    // Their tests need an instant to begin with, and there is no other way to make one.
    for path in files.filter(|path| !path.components().any(|part| part.as_os_str() == "tests")) {
        for (number, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            let code = line.split("//").next().unwrap();
            for impure in IMPURE.iter().filter(|impure| has_word(code, impure)) {
                found.push(format!("{}:{}: {impure}", path.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "not pure:\n{}", found.join("\n"));
}

fn has_word(code: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(start, _)| {
        !code[..start].ends_with(is_part) && !code[start + word.len()..].starts_with(is_part)
    })
}

#[test]
fn every_end_to_end_test_is_run() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e");
    let main = fs::read_to_string(directory.join("main.rs")).unwrap();
    for path in rust_files(&directory) {
        let module = path.file_stem().unwrap().to_str().unwrap();
        let is_declared = module == "main" || main.contains(&format!("\nmod {module};"));
        assert!(is_declared, "{} is a module of nothing", path.display());
    }
}

#[test]
fn the_documents_name_tests_that_are_there() {
    let mut named = 0;
    for document in DOCUMENTS {
        let code = documents::inline_code(document);
        let is_test = |code: &&String| code.contains('/') && code.contains("tests");
        for path in code.iter().filter(is_test).filter(|code| !code.contains(' ')) {
            assert!(workspace().join(path).exists(), "{document} names {path}");
            named += 1;
        }
    }
    assert!(named > 40, "only {named} were found");
}

#[test]
fn every_document_is_looked_at() {
    let is_document = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "md");
    let found: BTreeSet<PathBuf> = files(workspace()).into_iter().filter(is_document).collect();
    assert_eq!(found, DOCUMENTS.map(|document| workspace().join(document)).into());
}

#[test]
fn the_readme_is_short() {
    let bytes = documents::read("README.md").len();
    assert!(
        bytes <= README_BYTES,
        "README.md has {bytes} bytes, at most {README_BYTES} are wanted"
    );
}

#[test]
fn links_between_documents_lead_somewhere() {
    for document in DOCUMENTS {
        for (file, heading) in documents::links(document) {
            let found = file.canonicalize().unwrap_or_else(|_| {
                panic!("{document} links to {}, which is not there", file.display())
            });
            assert!(found.starts_with(workspace()), "{document} links to {}", file.display());
            if let Some(heading) = heading {
                let headings = documents::headings(&file);
                assert!(headings.contains(&heading), "{document}: no #{heading} in {headings:?}");
            }
        }
    }
}

#[test]
fn no_file_points_out_of_the_repository() {
    let outside = [["/wo", "rk"].concat(), ["../sha", "red"].concat()];
    let mut found = Vec::new();
    // Cargo itself has to find what its manifests name.
    for path in files(workspace()).into_iter().filter(|path| !path.ends_with("Cargo.toml")) {
        let Ok(content) = fs::read_to_string(&path) else { continue };
        for (number, line) in content.lines().enumerate() {
            // Links of documents are followed by a test of their own.
            let line = line.replace("](../", "](");
            if outside.iter().any(|place| has_word(&line, place)) {
                found.push(format!("{}:{}: {line}", path.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "not there for anybody else:\n{}", found.join("\n"));
}
