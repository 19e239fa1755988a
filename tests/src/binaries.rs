//! The programs under test, built once, with the profile and into the directory of the test itself.

use std::{env, path::PathBuf, process::Command, sync::LazyLock};

/// Where the programs are.
#[derive(Debug)]
pub struct Binaries {
    /// The daemon.
    pub relay: PathBuf,
    /// The MCP server.
    pub shim: PathBuf,
    /// What the build has left: the directory that holds both.
    pub directory: PathBuf,
}

/// Built when first asked for.
pub static BINARIES: LazyLock<Binaries> = LazyLock::new(build);

fn build() -> Binaries {
    let test = env::current_exe().unwrap();
    // Tests run from `<target>/<profile>/deps`, programs from the directory above.
    let directory = test.parent().expect("a program is in a directory");
    let directory = directory.parent().filter(|_| directory.ends_with("deps")).unwrap_or(directory);
    let profile = match directory.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        other => other,
    };
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--bins", "-p", "relay", "-p", "mcp-shim", "--profile", profile])
        .arg("--target-dir")
        .arg(directory.parent().unwrap())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo can be run");
    assert!(
        output.status.success(),
        "the programs under test do not build:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let program = |name: &str| {
        let path = directory.join(name).with_extension(env::consts::EXE_EXTENSION);
        assert!(path.is_file(), "cargo has not made {}", path.display());
        path
    };
    Binaries { relay: program("relay"), shim: program("mcp-shim"), directory: directory.to_owned() }
}
