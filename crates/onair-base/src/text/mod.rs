//! Floor 0: the sentences of onair in both languages (Fluent files under `assets/i18n`), for the
//! window, the command line and the log. Other rooms contain no sentences, only [`Problem`]s.

mod bundle;
mod language;
mod local_time;
pub mod problem;
pub mod spacing;

pub use bundle::{Texts, grouped, sentence};
pub use language::Language;
pub use local_time::{local_time, minutes, time_of_day};
pub use problem::{Problem, Value};
