//! Figures for Prometheus (text exposition format 0.0.4): `/metrics`. The figures of single streams are only
//! for clients that may read the API, because the name of a stream can be a secret.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::extract::connect_info::ConnectInfo;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;

use crate::net::listener::descriptors;
use crate::platform::process;
use crate::server::event::relay::{Direction, RelayState};
use crate::server::event::{Protocol, StreamFigures};
use crate::server::http::caller::Caller;
use crate::server::http::guard::{has_token, is_local};
use crate::server::http::operator::figures::usage;
use crate::server::outputs::recordings::viewers;
use crate::server::registry::Registry;
use crate::server::registry::relays::{RelayTotals, Relays};

/// Returns the figures.
pub(super) async fn metrics(
    State(registry): State<Arc<Registry>>,
    ConnectInfo(caller): ConnectInfo<Caller>,
    headers: HeaderMap,
) -> impl IntoResponse {
    let streams = registry.figures();
    let mut out = String::with_capacity(2_048);
    let totals = &registry.totals;
    let published = streams.iter().filter(|stream| stream.publisher.is_some()).count() as u64;
    let recorded = viewers::figures(&registry, registry.clock.now());
    let of_streams: u64 = streams.iter().map(|stream| stream.viewers as u64).sum();
    let viewers = of_streams + recorded.len() as u64;
    for (name, kind, help, value) in [
        ("publishers", "gauge", "Current publishers.", published),
        ("viewers", "gauge", "Current viewers.", viewers),
        ("connections", "gauge", "Current connections.", registry.connections() as u64),
        (
            "connections_total",
            "counter",
            "Connections since the start, including refused ones.",
            totals.connections.load(Ordering::Relaxed),
        ),
        (
            "connections_refused_total",
            "counter",
            "Refused connections.",
            totals.refused.load(Ordering::Relaxed),
        ),
        (
            "received_bytes_total",
            "counter",
            "Bytes received by RTMP.",
            totals.received_bytes.load(Ordering::Relaxed),
        ),
        ("sent_bytes_total", "counter", "Bytes sent.", totals.sent_bytes.load(Ordering::Relaxed)),
        (
            "skipped_messages_total",
            "counter",
            "Messages skipped for slow viewers and until a first keyframe, counted when a viewer leaves.",
            totals.skipped_messages.load(Ordering::Relaxed),
        ),
    ] {
        head(&mut out, name, kind, help);
        let _ = writeln!(out, "onair_{name} {value}");
    }
    head(&mut out, "recording_viewers", "gauge", "Current viewers of recordings.");
    for protocol in Protocol::OF_VIEWERS {
        let count = recorded.iter().filter(|viewer| viewer.protocol == protocol).count();
        let name = protocol.name();
        let _ = writeln!(out, "onair_recording_viewers{{protocol=\"{name}\"}} {count}");
    }
    let may_read = is_local(&registry, &caller, &headers) || has_token(&registry, &headers);
    // A player of a stream that nobody publishes can invent its name.
    let is_shown = |stream: &StreamFigures| may_read && stream.publisher.is_some();
    let streams: Vec<_> = streams.into_iter().filter(is_shown).collect();
    let mut figure = |name: &str, help: &str, of: fn(&StreamFigures) -> usize| {
        head(&mut out, name, "gauge", help);
        for stream in &streams {
            let _ = writeln!(out, "onair_{name}{} {}", labels(stream), of(stream));
        }
    };
    figure("stream_viewers", "Current viewers of a stream.", |it| it.viewers);
    figure("stream_hls_viewers", "Current viewers of a stream by HLS or DASH.", |it| {
        it.hls_viewers
    });
    figure("stream_whep_viewers", "Current viewers of a stream by WHEP.", |it| it.whep_viewers);
    head(&mut out, "stream_bitrate", "gauge", "Bitrate from a publisher, in bits per second.");
    for (stream, publisher) in streams.iter().filter_map(|s| Some((s, s.publisher.as_ref()?))) {
        let _ = writeln!(out, "onair_stream_bitrate{} {}", labels(stream), publisher.bitrate);
    }
    link(&mut out, &streams);
    process(&mut out);
    relays(&mut out, &registry.relays);
    renditions(&mut out, &registry, &streams);
    let fields =
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4"), (header::CACHE_CONTROL, "no-store")];
    (fields, out)
}

/// Writes the figures of the links of publishers whose protocol reports them.
fn link(out: &mut String, streams: &[StreamFigures]) {
    let all = || streams.iter().filter_map(|it| Some((it, it.publisher.as_ref()?.link)));
    head(out, "stream_loss_ratio", "gauge", "Lost part of a publisher's packets, from 0 to 1.");
    for (stream, loss) in all().filter_map(|(it, link)| Some((it, link.loss?))) {
        let _ = writeln!(out, "onair_stream_loss_ratio{} {loss}", labels(stream));
    }
    let help = "Time of a round trip to a publisher, in seconds.";
    head(out, "stream_rtt_seconds", "gauge", help);
    for (stream, rtt) in all().filter_map(|(it, link)| Some((it, link.rtt?))) {
        let _ = writeln!(out, "onair_stream_rtt_seconds{} {}", labels(stream), rtt.as_secs_f64());
    }
}

/// Writes the figures of the process, with the names that Prometheus's client libraries use.
fn process(out: &mut String) {
    let mut figure = |name: &str, kind: &str, help: &str, value: f64| {
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
    };
    if let Some(usage) = usage() {
        let (cpu, memory) = (usage.cpu_seconds, usage.memory_bytes as f64);
        figure("process_cpu_seconds_total", "counter", "CPU time in seconds.", cpu);
        figure("process_resident_memory_bytes", "gauge", "Resident memory in bytes.", memory);
    }
    let limit = descriptors::limit() as f64;
    figure("process_max_fds", "gauge", "Limit of open descriptors.", limit);
    if let Some(open) = process::open_files() {
        figure("process_open_fds", "gauge", "Open descriptors.", open as f64);
    }
}

/// Writes the figures of relays, by direction.
fn relays(out: &mut String, relays: &Relays) {
    let running = relays.all();
    head(out, "relays", "gauge", "Current relays.");
    for direction in Direction::ALL {
        let of_direction = running.iter().filter(|relay| relay.rule().direction == direction);
        let states: Vec<_> = of_direction.map(|relay| relay.report().state).collect();
        for state in RelayState::ALL_RUNNING {
            let count = states.iter().filter(|it| **it == state).count();
            let (direction, state) = (direction.name(), state.name());
            let _ = writeln!(
                out,
                "onair_relays{{direction=\"{direction}\",state=\"{state}\"}} {count}"
            );
        }
    }
    let totals = Direction::ALL.map(|direction| (direction.name(), relays.totals(direction)));
    let mut figure = |name: &str, help: &str, of: fn(&RelayTotals) -> u64| {
        head(out, name, "counter", help);
        for (direction, totals) in &totals {
            let _ = writeln!(out, "onair_{name}{{direction=\"{direction}\"}} {}", of(totals));
        }
    };
    figure("relay_bytes_total", "Bytes that relays sent or received.", |it| it.bytes);
    figure("relay_reconnects_total", "Reconnects of relays.", |it| it.reconnects);
    let dropped = "Frames that were dropped because another server was too slow.";
    figure("relay_dropped_frames_total", dropped, |it| it.dropped_frames);
    head(out, "relays_refused_total", "counter", "Relays that were refused because of the limit.");
    let _ = writeln!(out, "onair_relays_refused_total {}", relays.refused());
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP onair_{name} {help}\n# TYPE onair_{name} {kind}");
}

/// Writes the figures of the renditions that are encoded now.
fn renditions(out: &mut String, registry: &Registry, streams: &[StreamFigures]) {
    let made: Vec<_> = streams
        .iter()
        .flat_map(|stream| {
            let figures = registry.transcoders.figures(&stream.app, &stream.stream);
            figures.into_iter().map(move |it| (names(stream), it))
        })
        .collect();
    head(out, "rendition_frames_total", "counter", "Encoded frames of a rendition.");
    for (of, it) in &made {
        let (name, frames) = (&it.name, it.frames);
        let _ = writeln!(out, "onair_rendition_frames_total{{{of},rendition=\"{name}\"}} {frames}");
    }
    head(out, "rendition_cpu_seconds_total", "counter", "Encoding time of a rendition.");
    for (of, it) in &made {
        let (name, busy) = (&it.name, it.busy.as_secs_f64());
        let _ =
            writeln!(out, "onair_rendition_cpu_seconds_total{{{of},rendition=\"{name}\"}} {busy}");
    }
}

fn labels(stream: &StreamFigures) -> String {
    format!("{{{}}}", names(stream))
}

fn names(stream: &StreamFigures) -> String {
    let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("app=\"{}\",stream=\"{}\"", escape(&stream.app), escape(&stream.stream))
}
