//! Clients that nobody here wrote. An SDK gets a driver in its language, which takes and gives
//! JSON-RPC as a shim would, so that a [`Client`] can use it, and does the talking to the shim with
//! the SDK. MCP Inspector is a program: it is run.

use std::{
    env,
    path::{Path, PathBuf},
    process::Output,
};

use crate::{BINARIES, Client, Era, Shim, World};

/// How a client is told which protocol to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `initialize`.
    Legacy,
    /// It asks the server and takes the newest, which is the stateless one.
    Auto,
}

impl Mode {
    /// The version that comes of it.
    #[must_use]
    pub fn version(self) -> &'static str {
        match self {
            Self::Legacy => "2025-11-25",
            Self::Auto => "2026-07-28",
        }
    }

    fn argument(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Auto => "auto",
        }
    }
}

/// A client made with the package `mcp` of Python, its shim started with these arguments.
#[must_use]
pub fn python(world: &World, mode: Mode, shim_arguments: &[&str]) -> Client {
    let shim = python_driver("driver.py", world);
    connect("Python", shim, world, mode, shim_arguments)
}

/// A client made with the package `fastmcp` of Python.
#[must_use]
pub fn fastmcp(world: &World, mode: Mode, shim_arguments: &[&str]) -> Client {
    let shim = python_driver("fastmcp_driver.py", world);
    connect("fastmcp", shim, world, mode, shim_arguments)
}

/// The Python that has the packages `mcp` and `fastmcp`.
#[must_use]
pub fn python_interpreter() -> PathBuf {
    installed("python").join("bin/python")
}

fn python_driver(driver: &str, world: &World) -> Shim {
    Shim::from(world.command(&python_interpreter())).args([source("python").join(driver)])
}

/// A client made with the package `@modelcontextprotocol/client` of TypeScript.
#[must_use]
pub fn typescript(world: &World, mode: Mode, shim_arguments: &[&str]) -> Client {
    let shim = Shim::from(world.command(Path::new("node")))
        .args([source("typescript/driver.mjs"), installed("typescript")]);
    connect("TypeScript", shim, world, mode, shim_arguments)
}

/// Runs the command line of MCP Inspector, which starts a shim, does one thing with it and ends it.
#[must_use]
pub fn inspector(world: &World, mode: Mode, arguments: &[&str]) -> Output {
    let modules = installed("inspector").join("node_modules");
    let mut command = world.command(&modules.join("node/bin/node"));
    command.arg(modules.join(".bin/mcp-inspector")).arg("--cli").arg(&BINARIES.shim);
    command.arg("--socket").arg(world.socket());
    let era = match mode {
        Mode::Legacy => "legacy",
        Mode::Auto => "modern",
    };
    command.args(["--protocol-era", era, "--format", "json"]).args(arguments);
    command.output().unwrap()
}

fn connect(name: &str, shim: Shim, world: &World, mode: Mode, shim_arguments: &[&str]) -> Client {
    let mut shim = shim.era(Era::Sdk).args([mode.argument()]).args([&BINARIES.shim]);
    name.clone_into(&mut shim.name);
    // An SDK hands on next to nothing of the environment.
    if !shim_arguments.contains(&"--socket") {
        shim = shim.args(["--socket".as_ref(), world.socket().as_os_str()]);
    }
    shim.args(shim_arguments).connect()
}

fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(path)
}

fn installed(client: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    test.ancestors()
        .map(|directory| directory.join("clients").join(client))
        .find(|directory| directory.join("installed").is_file())
        .unwrap_or_else(|| {
            panic!("the {client} client is not installed: run tests/clients/install.sh")
        })
}
