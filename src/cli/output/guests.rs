//! Prints the states of guests.

use serde_json::json;

use crate::cli::output::Output;
use crate::studio::event::Guest;
use crate::text::problem::problem;

/// Prints the state of a guest. The link of an invitation is printed, because the user has asked for it.
pub fn print(output: &Output, guest: &Guest) {
    let fields = json!({
        "id": guest.id,
        "name": guest.name,
        "state": guest.state.name(),
        "link": guest.link,
        "rtt_ms": guest.rtt.map(|rtt| rtt.as_secs_f64() * 1e3),
        "tagged": guest.tagged,
        "loss": guest.loss.map(|loss| (f64::from(loss) * 1e4).round() / 1e4),
    });
    output.event("guest", fields, || {
        let name = if guest.name.is_empty() { &guest.id } else { &guest.name };
        let text = problem!("out-guest", id = &guest.id, name = name, state = guest.state.name());
        Some(match &guest.link {
            Some(link) => output.say(&problem!("out-with", what = text, more = link)),
            None => output.say(&text),
        })
    });
}
