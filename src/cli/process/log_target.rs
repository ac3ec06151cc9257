//! Names of log messages' origins. A message names its crate and module (`onair_server::http`); users
//! see and filter by the room instead (`onair::server::http`).

use std::borrow::Cow;
use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Each room outside of this package, with the first part of its messages' origins.
const ROOMS: [(&str, &str); 16] = [
    ("audio", "onair_media::audio"),
    ("base", "onair_base::base"),
    ("broadcast", "onair_net::broadcast"),
    ("capture", "onair_media::capture"),
    ("compose", "onair_media::compose"),
    ("decode", "onair_media::decode"),
    ("encode", "onair_media::encode"),
    ("files", "onair_media::files"),
    ("media", "onair_base::media"),
    ("mix", "onair_media::mix"),
    ("net", "onair_net::net"),
    ("player", "onair_player"),
    ("server", "onair_server"),
    ("studio", "onair_studio"),
    ("text", "onair_base::text"),
    ("wire", "onair_wire"),
];

/// Returns the origin of a message with the name of its room.
pub(super) fn displayed(target: &str) -> Cow<'_, str> {
    let found = ROOMS.iter().find_map(|(room, path)| Some((room, rest_after(target, path)?)));
    match found {
        Some((room, rest)) => Cow::Owned(format!("onair::{room}{rest}")),
        None => Cow::Borrowed(target),
    }
}

/// Adds the crates of the rooms that a filter names.
pub(super) fn with_crates(filter: Targets) -> Targets {
    let in_crate = |target: &str| {
        let path = target.strip_prefix("onair::")?;
        ROOMS.iter().find_map(|(room, its_path)| {
            rest_after(path, room).map(|rest| format!("{its_path}{rest}"))
        })
    };
    let added: Vec<_> =
        filter.iter().filter_map(|(target, level)| Some((in_crate(target)?, level))).collect();
    filter.with_targets(added)
}

/// Returns what follows `start` in a path: nothing, or more modules.
fn rest_after<'a>(path: &'a str, start: &str) -> Option<&'a str> {
    path.strip_prefix(start).filter(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Formats events with the names of rooms.
#[derive(Clone, Debug)]
pub(super) struct RoomNames<F>(pub F);

impl<S, N, F> FormatEvent<S, N> for RoomNames<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        let target = event.metadata().target();
        writer.write_str(&line.replacen(target, &displayed(target), 1))
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;
    use tracing_subscriber::fmt::format::Format;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::cli::process::log::tests::Lines;

    #[test]
    fn an_origin_in_a_crate_is_displayed_with_its_room() {
        for (target, room) in [
            ("onair_server", "onair::server"),
            ("onair_server::http::watch", "onair::server::http::watch"),
            ("onair_net::broadcast::hub", "onair::broadcast::hub"),
            ("onair_net::net", "onair::net"),
            ("onair::app::redraw", "onair::app::redraw"),
            ("onair_servers", "onair_servers"),
            ("hyper::client", "hyper::client"),
        ] {
            assert_eq!(displayed(target), room);
        }
    }

    #[test]
    fn a_filter_of_a_room_passes_the_messages_of_its_crate() {
        let filter: Targets = "warn,onair::server=debug,onair::net::tls=trace".parse().unwrap();
        let filter = with_crates(filter);
        for (target, level, passes) in [
            ("onair_server::http", Level::DEBUG, true),
            ("onair_server::http", Level::TRACE, false),
            ("onair::server::event", Level::DEBUG, true),
            ("onair_net::net::tls::verify", Level::TRACE, true),
            ("onair_net::net::web", Level::INFO, false),
            ("onair_net::net::web", Level::WARN, true),
        ] {
            assert_eq!(filter.would_enable(target, &level), passes, "{target} {level}");
        }
    }

    #[test]
    fn a_line_of_text_names_the_room() {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = tracing_subscriber::fmt::layer()
            .event_format(RoomNames(Format::default().with_ansi(false)))
            .with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::info!(target: "onair_player::buffer", "onair_player::buffer is full");
        });
        let text = String::from_utf8(lines.0.lock().clone()).unwrap();
        let line = " INFO onair::player::buffer: onair_player::buffer is full\n";
        assert!(text.ends_with(line), "{text}");
    }
}
