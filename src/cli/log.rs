//! Logs go to standard error; what is logged holds no secrets (they cannot be formatted).

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::cli::crash::LastLines;

/// What is kept for the report of a crash, whatever is shown.
const KEPT: &str = "warn,onair=info";

/// Starts logging at a level (`info`) or by a filter (`onair=debug`); gives the last lines, for the
/// report of a crash.
///
/// # Errors
/// A sentence, when the level makes no sense.
pub fn start(level: &str) -> Result<LastLines, String> {
    let known = ["off", "error", "warn", "info", "debug", "trace"].contains(&level);
    let filter = if known {
        // Our own voice at the level asked for; libraries only when something is wrong.
        let others = if matches!(level, "debug" | "trace") { "info" } else { "error" };
        format!("{others},onair={level}")
    } else {
        level.to_owned()
    };
    let filter = EnvFilter::try_new(filter)
        .ok()
        .filter(|_| known || level.contains(['=', ',']))
        .ok_or_else(|| {
            format!(
                "--log '{level}' is no level: write error, warn, info, debug, trace or a filter such as onair=debug"
            )
        })?;
    let last = LastLines::default();
    let kept = fmt::layer().with_ansi(false).with_writer(last.clone());
    tracing_subscriber::registry()
        .with(fmt::layer().with_writer(std::io::stderr).with_filter(filter))
        .with(kept.with_filter(EnvFilter::new(KEPT)))
        .init();
    Ok(last)
}
