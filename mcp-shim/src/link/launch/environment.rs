//! What a started relay is given of the environment of its shim. It outlives the client, whose
//! secrets are no business of it, and works in another directory.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use super::{MULTI_USER_VARIABLE, OPTION_PREFIX};

/// By these names a relay is given everything it has a use for, besides its own options.
#[cfg(not(windows))]
const KEPT: [&str; 6] = ["PATH", "HOME", "LANG", "TZ", "RUST_LOG", "XDG_STATE_HOME"];
/// There, no program runs without some of them.
#[cfg(windows)]
const KEPT: [&str; 16] = [
    "PATH",
    "HOME",
    "LANG",
    "TZ",
    "RUST_LOG",
    "XDG_STATE_HOME",
    "SYSTEMROOT",
    "SYSTEMDRIVE",
    "WINDIR",
    "USERNAME",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "PROGRAMDATA",
    "TEMP",
    "TMP",
];
const CERTIFICATES: &str = "SSL_CERT_";
/// What a service manager tells one process, whatever is put before the name.
const TO_ONE_PROCESS: [&str; 6] = [
    "NOTIFY_SOCKET",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_FDNAMES",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
];
const IS_PATH: [&str; 2] = ["HOME", "XDG_STATE_HOME"];
const IS_LIST_OF_PATHS: [&str; 2] = ["PATH", "SSL_CERT_DIR"];

/// What is left of an environment, with every path absolute: seen from `here`, where the process
/// that has this environment is. An empty variable is one that is not set.
pub(super) fn for_relay(
    all: impl Iterator<Item = (OsString, OsString)>,
    here: Option<&Path>,
) -> Vec<(OsString, OsString)> {
    let kept = all.filter(|(name, value)| is_kept(name) && !value.is_empty());
    kept.filter_map(|(name, value)| {
        let value = from_anywhere(&name, value, here)?;
        Some((name, value))
    })
    .collect()
}

fn is_kept(name: &OsStr) -> bool {
    let Some(name) = comparable(name) else { return false };
    if KEPT.contains(&name.as_str()) {
        return true;
    }
    let known = [CERTIFICATES, OPTION_PREFIX].iter().find_map(|prefix| name.strip_prefix(prefix));
    name != MULTI_USER_VARIABLE && known.is_some_and(|rest| !TO_ONE_PROCESS.contains(&rest))
}

/// As names are compared here; `None` for one that is none of ours.
fn comparable(name: &OsStr) -> Option<String> {
    let name = name.to_str()?;
    Some(if cfg!(windows) { name.to_ascii_uppercase() } else { name.to_owned() })
}

/// The same value, with the same meaning in every directory; `None` if there is none.
fn from_anywhere(name: &OsStr, value: OsString, here: Option<&Path>) -> Option<OsString> {
    let name = comparable(name)?;
    let is = |names: &[&str]| names.contains(&name.as_str());
    if is(&IS_LIST_OF_PATHS) {
        let all: Vec<PathBuf> =
            env::split_paths(&value).filter_map(|path| absolute(&path, here)).collect();
        // A name with the separator in it cannot be in a list.
        let can_be_listed = |path: &&PathBuf| env::join_paths([path]).is_ok();
        let all = env::join_paths(all.iter().filter(can_be_listed)).ok()?;
        Some(all).filter(|all| !all.is_empty())
    } else if is(&IS_PATH) || name.starts_with(CERTIFICATES) {
        absolute(Path::new(&value), here).map(PathBuf::into_os_string)
    } else {
        Some(value)
    }
}

/// An empty path is `here`, as in `PATH`.
fn absolute(path: &Path, here: Option<&Path>) -> Option<PathBuf> {
    if path.is_absolute() { Some(path.to_owned()) } else { Some(here?.join(path)) }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn relays(all: &[(&str, &str)], here: Option<&str>) -> Vec<(String, String)> {
        let all = all.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let left = for_relay(all, here.map(Path::new));
        let text = |text: OsString| text.to_str().map(str::to_owned).unwrap_or_default();
        left.into_iter().map(|(name, value)| (text(name), text(value))).collect()
    }

    fn names(all: &[&str]) -> Vec<String> {
        let all: Vec<_> = all.iter().map(|name| (*name, "/1")).collect();
        relays(&all, Some("/here")).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn what_a_relay_has_a_use_for_is_kept() {
        let kept = [
            "PATH",
            "HOME",
            "LANG",
            "TZ",
            "RUST_LOG",
            "XDG_STATE_HOME",
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
            "MCP_CHAT_RELAY_GRACE",
            "MCP_CHAT_RELAY_IDLE_EXIT",
        ];
        assert_eq!(names(&kept), kept);
    }

    #[test]
    fn all_else_is_not() {
        let others = [
            "ANTHROPIC_API_KEY",
            "LC_ALL",
            "LANGUAGE",
            "HOMEBREW_GITHUB_API_TOKEN",
            "PATH_TO_SECRET",
            "RUST_LOG_STYLE",
            "RUST_BACKTRACE",
            "TZDIR",
            "XDG_STATE_HOME_2",
            "XDG_RUNTIME_DIR",
            "MY_SSL_CERT_FILE",
            "LD_PRELOAD",
            "path",
            "MCP_CHAT_RELAY",
            "MCP_CHAT_SOCKET",
            "MCP_CHAT_RELAY_MULTI_USER",
            "MCP_CHAT_RELAYS",
            "NOTIFY_SOCKET",
            "LISTEN_FDS",
            "LISTEN_PID",
            "LISTEN_FDNAMES",
            "WATCHDOG_USEC",
            "WATCHDOG_PID",
            "MCP_CHAT_RELAY_NOTIFY_SOCKET",
            "MCP_CHAT_RELAY_LISTEN_FDS",
            "SSL_CERT_WATCHDOG_USEC",
        ];
        assert_eq!(names(&others), [""; 0]);
    }

    #[test]
    fn paths_mean_the_same_in_another_directory() {
        let given = [
            ("PATH", "/bin::tools:./more"),
            ("HOME", "home"),
            ("XDG_STATE_HOME", "../state"),
            ("SSL_CERT_FILE", "certificates.pem"),
            ("SSL_CERT_DIR", "/a:b"),
            ("TZ", "Europe/Zurich"),
            ("MCP_CHAT_RELAY_MESSAGE_RATE", "5/2"),
        ];
        let wanted = [
            ("PATH", "/bin:/here/:/here/tools:/here/./more"),
            ("HOME", "/here/home"),
            ("XDG_STATE_HOME", "/here/../state"),
            ("SSL_CERT_FILE", "/here/certificates.pem"),
            ("SSL_CERT_DIR", "/a:/here/b"),
            ("TZ", "Europe/Zurich"),
            ("MCP_CHAT_RELAY_MESSAGE_RATE", "5/2"),
        ];
        let wanted = wanted.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(relays(&given, Some("/here")), wanted);
    }

    #[test]
    fn a_path_that_means_nothing_anywhere_else_is_left_out() {
        let given = [("PATH", "/bin:tools"), ("HOME", "home"), ("XDG_STATE_HOME", "")];
        let nowhere = relays(&given, None);
        assert_eq!(nowhere, [("PATH".to_owned(), "/bin".to_owned())]);
        // No list can hold it.
        let odd = relays(&given, Some("/a:b"));
        let wanted = [("PATH", "/bin"), ("HOME", "/a:b/home")];
        assert_eq!(odd, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(relays(&[("PATH", "tools")], Some("/a:b")), []);
    }
}
