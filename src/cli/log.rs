//! Logs go to standard error; what is logged holds no secrets (they cannot be formatted).

use tracing_subscriber::EnvFilter;

/// Starts logging at a level (`info`) or by a filter (`onair=debug`).
///
/// # Errors
/// A sentence, when the level makes no sense.
pub fn start(level: &str) -> Result<(), String> {
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
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    Ok(())
}
