//! Where relay and clients meet: the socket's path, its directory, the lock that makes the relay
//! the only one, and who is at the other end. Only here does the product touch the sockets of an
//! operating system.
//!
//! | system | default path | what makes the relay the only one |
//! |---|---|---|
//! | Linux | `/run/user/<uid>/mcp-chat/v1/relay.sock`, or as below without that directory | a lock on `relay.sock.lock` |
//! | other Unix | `/tmp/mcp-chat-<uid>/v1/relay.sock` | the same |
//! | Windows | `\\.\pipe\mcp-chat-v1-<user>` | the first instance of the pipe |
//!
//! The path depends on the user id alone, because MCP clients start their servers with the most
//! different environments, and two shims of one user must meet.
//!
//! Every account of a computer can meet at one relay, at a path that its user names. There, only
//! the account that the directory belongs to can be the relay; where the kernel says that somebody
//! else is, clients go away. Windows has no such place.
//!
//! What a file does comes first, on which system second: `listen.rs`, `listen/unix.rs`.

mod account;
mod connect;
#[cfg(unix)]
mod directory;
mod epoch;
mod error;
#[cfg(unix)]
mod file;
#[cfg(unix)]
mod kept;
mod key;
mod listen;
#[cfg(unix)]
mod lock;
mod path;
mod stream;

pub use account::{Audience, Peer, is_in_charge, is_own_account};
pub use error::{ConnectError, EndpointError, ListenError, SOCKET_VARIABLE};
pub use key::{KEY_BYTES, Key, KeyOrigin};
pub use listen::{Listener, Standing};
pub use path::{Endpoint, beside};
pub use stream::Stream;
