//! What a message, a name or a topic may contain. Pure: no I/O, no state.
//!
//! A message is cleaned by its sender's shim, by the relay and by its receiver's shim, with the
//! one function [`clean()`]; words are never rewritten. Names and topics are not cleaned but
//! refused, so that what a partner sees is what was chosen.
//!
//! What stays is what somebody can see, and what a script or an emoji needs to be seen rightly.
//! What goes could speak to programs behind a person's back, steer a terminal, or show words in
//! another order than they have:
//!
//! - Every line end (CR, CRLF, NEL, VT, FF, U+2028, U+2029) becomes LF. The tab stays; other C0
//!   and C1 controls go, a control sequence (CSI) as a whole, of a control string (OSC, DCS, …)
//!   only the introducer.
//! - Embeddings, overrides and isolates go; a direction mark (LRM, RLM, ALM) stays if it does not
//!   follow another.
//! - ZWJ stays as emoji glue, after a virama, and between a letter and a virama; ZWNJ as RFC 5892
//!   allows it, and before a virama; ZWSP between letters of South-East Asia.
//! - A variation selector stays directly after what it can select a form of: VS15 and VS16 after a
//!   pictograph or in a keycap, U+E0100 to U+E01EF after Han, Mongolian ones after Mongolian.
//! - Tag characters stay as the flags of England, Scotland and Wales, whole.
//! - At most [`MARKS_PER_BASE`](crate::limits::MARKS_PER_BASE) marks stay on a base.
//! - Private use becomes U+FFFD. Every other default-ignorable character, interlinear annotation
//!   and noncharacters go.
//! - The result is in normalisation form C.
//!
//! Sources: UAX #9 (directions), UAX #15 (normalisation), UTS #37 (ideographic variants), UTS #39
//! (names), UTS #51 (emoji), RFC 5892 appendix A (joiners), ECMA-48 (control sequences), Boucher
//! and Anderson, "Trojan Source: Invisible Vulnerabilities" (2021), and the properties of the
//! Unicode character database as `icu_properties` has them.

mod clean;
mod message;
mod name;
mod properties;

pub use clean::{Cleaned, clean};
pub use message::{MessageError, fitting, message, received};
pub use name::{NameError, display_name, fold_topic, is_mixed_script, topic};

/// The display name of somebody who chose none.
pub const DEFAULT_DISPLAY_NAME: &str = "Stranger";
/// The topic of somebody who chose none.
pub const DEFAULT_TOPIC: &str = "open";
