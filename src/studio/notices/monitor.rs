//! What the confidence monitor says in English, by the message's name.

use crate::studio::notices::Level;

/// How much it matters: a server that makes its own of the stream is said, not alarmed.
pub(in crate::studio) fn level(key: &str) -> Level {
    if key == "monitor-wrong-size" { Level::Info } else { Level::Warning }
}

/// What happened.
pub(in crate::studio) fn summary(key: &str, host: &str, cause: &str) -> String {
    match key {
        "monitor-unreachable" => format!("What viewers of {host} get cannot be seen: {cause}."),
        "monitor-no-stream" => format!("Viewers of {host} get nothing: {cause}."),
        "monitor-different" => format!("Viewers of {host} get a different program: {cause}."),
        "monitor-stalled" => format!("The stream of {host} does not flow for viewers: {cause}."),
        "monitor-black" => format!("Viewers of {host} see black: {cause}."),
        "monitor-frozen" => format!("Viewers of {host} see a picture that stands still: {cause}."),
        "monitor-silent" => format!("Viewers of {host} hear nothing: {cause}."),
        "monitor-late" => format!("Viewers of {host} see it late: {cause}."),
        _ => format!("{host} gives viewers another picture than it gets: {cause}."),
    }
}

/// What to do about it.
pub(in crate::studio) fn advice(key: &str) -> &'static str {
    match key {
        "monitor-unreachable" => {
            "The stream itself is on its way. Check the address at which it is watched, and whether \
             the server lets everybody watch."
        }
        "monitor-no-stream" => {
            "A server may take some seconds. If it stays so, check the stream's name, and on the \
             service's page whether the stream is shown."
        }
        "monitor-stalled" => {
            "The server takes the stream and does not hand it on. If it stays so, end the broadcast \
             there and begin again."
        }
        "monitor-different" => {
            "Somebody else may publish under this name, or the server hands out an old stream or a \
             picture of its own. Check the play address and the stream's name, then switch the target \
             off and on again."
        }
        "monitor-black" | "monitor-frozen" | "monitor-silent" => {
            "What is sent is not so: it happens at the server. If it stays so, switch the target off \
             and on again."
        }
        "monitor-late" => {
            "The server or the way to it holds much back. Switching off and on helps."
        }
        _ => {
            "It is the server's choice, if it makes smaller versions; else check what it is set to."
        }
    }
}

/// Why nobody can say whether viewers get what is sent.
pub(in crate::studio) const UNSURE: &str =
    "neither picture nor sound varies enough to tell whether it is what is sent";

/// A moment of the wall clock, in microseconds, as clocks here show it.
pub(in crate::studio) fn time_of_day(wall_micros: i64) -> String {
    let zoned = |at: jiff::Timestamp| at.to_zoned(jiff::tz::TimeZone::system());
    jiff::Timestamp::from_microsecond(wall_micros)
        .map(|at| zoned(at).strftime("%H:%M:%S").to_string())
        .unwrap_or_default()
}
