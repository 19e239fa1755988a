//! Tidiness is a test.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use syn::visit::Visit;
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

/// The modules of a crate, each with its file.
fn modules(sources: &Path) -> BTreeMap<Vec<String>, PathBuf> {
    let is_test = |path: &Path| {
        path.components().any(|part| part.as_os_str() == "tests")
            || path.file_stem().is_some_and(|stem| stem == "tests" || stem == "main")
    };
    let module = |path: &Path| {
        let inside = path.strip_prefix(sources).unwrap().with_extension("");
        let names = inside.iter().map(|name| name.to_str().unwrap().to_owned());
        names.filter(|name| name != "mod" && name != "lib").collect()
    };
    let product = rust_files(sources).into_iter().filter(|path| !is_test(path));
    product.map(|path| (module(&path), path)).collect()
}

/// The paths of one file that lead to other modules of its crate, from the root of the crate.
struct Imports<'a> {
    module: &'a [String],
    paths: Vec<Vec<String>>,
}

impl Imports<'_> {
    fn note(&mut self, path: &[String]) {
        let Some((first, rest)) = path.split_first() else { return };
        let up = path.iter().take_while(|name| *name == "super").count();
        let absolute = match first.as_str() {
            "crate" => rest.to_vec(),
            "self" => [self.module, rest].concat(),
            "super" => [&self.module[..self.module.len() - up], &path[up..]].concat(),
            _ => return,
        };
        self.paths.push(absolute);
    }

    fn note_tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.note_tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) if name.ident == "self" => self.note(before),
            syn::UseTree::Name(name) => self.note(&with(&name.ident)),
            syn::UseTree::Rename(name) => self.note(&with(&name.ident)),
            syn::UseTree::Glob(_) => self.note(before),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.note_tree(before, tree));
            }
        }
    }
}

impl<'ast> Visit<'ast> for Imports<'_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.note_tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.note(&path.segments.iter().map(|one| one.ident.to_string()).collect::<Vec<_>>());
        syn::visit::visit_path(self, path);
    }

    /// Modules within a file are its tests.
    fn visit_item_mod(&mut self, _: &'ast syn::ItemMod) {}

    /// `pub(in path)` names an ancestor and takes nothing from it.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}

/// Which modules a module takes something from.
fn imports(
    module: &[String],
    path: &Path,
    all: &BTreeMap<Vec<String>, PathBuf>,
) -> BTreeSet<Vec<String>> {
    let file = syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap();
    let mut imports = Imports { module, paths: Vec::new() };
    imports.visit_file(&file);
    let of_module = |path: &Vec<String>| {
        let prefixes = (0..=path.len()).rev().map(|length| path[..length].to_vec());
        prefixes.into_iter().find(|prefix| all.contains_key(prefix))
    };
    let targets = imports.paths.iter().filter_map(of_module);
    targets.filter(|target| target != module).collect()
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let mut circles = Vec::new();
    for name in ["shared", "relay", "mcp-shim"] {
        let all = modules(&workspace().join(name).join("src"));
        let mut graph: BTreeMap<_, _> = all
            .iter()
            .map(|(module, path)| (module.clone(), imports(module, path, &all)))
            .collect();
        // Whatever imports nothing that is left is in no circle.
        while let Some(free) = graph
            .iter()
            .find(|(_, targets)| targets.iter().all(|target| !graph.contains_key(target)))
            .map(|(module, _)| module.clone())
        {
            graph.remove(&free);
        }
        // Nor is whatever nothing imports that is left.
        while let Some(free) = graph
            .keys()
            .find(|module| graph.values().all(|targets| !targets.contains(*module)))
            .cloned()
        {
            graph.remove(&free);
        }
        circles.extend(graph.iter().map(|(module, targets)| {
            let of_circle = targets.iter().filter(|target| graph.contains_key(*target));
            let targets: Vec<_> = of_circle.map(|target| target.join("::")).collect();
            format!("{name}::{} takes from {}", module.join("::"), targets.join(", "))
        }));
    }
    assert!(circles.is_empty(), "modules in circles:\n{}", circles.join("\n"));
}

#[test]
fn the_fields_of_a_chat_are_its_own_rooms() {
    let path = workspace().join("mcp-shim/src/session/chat/mod.rs");
    let file = syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap();
    let structs = file
        .items
        .iter()
        .filter_map(|item| if let syn::Item::Struct(item) = item { Some(item) } else { None });
    let chat = structs.into_iter().find(|item| item.ident == "Chat");
    let open: Vec<_> = chat
        .expect("there is a struct Chat")
        .fields
        .iter()
        .filter(|field| !matches!(field.vis, syn::Visibility::Inherited))
        .map(|field| field.ident.as_ref().unwrap().to_string())
        .collect();
    assert!(open.is_empty(), "not private: {open:?}");
}
