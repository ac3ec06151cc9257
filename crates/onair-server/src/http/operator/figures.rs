//! The figures of the server as a whole: `/api/v1/server`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use crate::base::Clock;
use crate::files::disk_space::reserve;
use crate::files::free_space;
use crate::server::event::StreamFigures;
use crate::server::http::operator::unix_seconds;
use crate::server::outputs::recordings::viewers;
use crate::server::recordings::under_way::Files;
use crate::server::registry::Registry;

/// CPU time and memory of this process.
pub(in crate::http) struct Usage {
    pub cpu_seconds: f64,
    pub memory_bytes: u64,
}

/// Returns the figures. Bytes and CPU time are totals, so clients compute rates from two responses.
pub(in crate::http) async fn server(State(registry): State<Arc<Registry>>) -> Json<Value> {
    let folder = registry.config.record.clone();
    let read = move || (folder.and_then(|folder| free_space(&folder)), usage());
    // A disk can be slow.
    let (free, usage) = tokio::task::spawn_blocking(read).await.unwrap_or_default();
    let streams = registry.figures();
    let published = streams.iter().filter(|stream| stream.publisher.is_some()).count();
    let now = registry.clock.now();
    let of_streams: usize = streams.iter().map(|stream| stream.viewers).sum();
    let viewers = of_streams + viewers::figures(&registry, now).len();
    let totals = &registry.totals;
    let recording = registry.config.record.as_ref().map(|_| {
        let bitrate = recorded_bitrate(&streams, &registry.files);
        let left = free.map(|free| free.saturating_sub(reserve(0)));
        let seconds = left.filter(|_| bitrate > 0).map(|left| left as f64 * 8.0 / bitrate as f64);
        json!({ "free_bytes": free, "seconds_left": seconds })
    });
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "host": System::host_name().ok(),
        "now": unix_seconds(Clock::system_micros()),
        "seconds": now.since(registry.began).as_secs_f64(),
        "local_only": registry.is_web_local(),
        "streams": published,
        "viewers": viewers,
        "viewers_peak": registry.reporter.log.lock().peak().max(viewers as u64),
        "connections": registry.connections(),
        "received_bytes": totals.received_bytes.load(Ordering::Relaxed),
        "sent_bytes": totals.sent_bytes.load(Ordering::Relaxed),
        "cores": std::thread::available_parallelism().map_or(1, usize::from),
        "cpu_seconds": usage.as_ref().map(|usage| usage.cpu_seconds),
        "memory_bytes": usage.as_ref().map(|usage| usage.memory_bytes),
        "recording": recording,
    }))
}

/// Returns the bitrate of the streams that are being recorded. Other streams need no space.
fn recorded_bitrate(streams: &[StreamFigures], files: &Files) -> u64 {
    let recorded = streams.iter().filter(|it| files.is_recording(&it.app, &it.stream));
    recorded.filter_map(|it| it.publisher.as_ref()).map(|publisher| publisher.bitrate).sum()
}

/// Returns the resources that this process has used, or `None` if the system does not report them.
pub(in crate::http) fn usage() -> Option<Usage> {
    let pid: Pid = sysinfo::get_current_pid().ok()?;
    let mut system = System::new().ok()?;
    system.refresh_processes_specifics(
        ProcessesToUpdate::Some(&[pid]),
        false,
        ProcessRefreshKind::nothing().with_cpu().with_memory(),
    );
    let process = system.process(pid)?;
    let cpu_seconds = process.accumulated_cpu_time() as f64 / 1_000.0;
    Some(Usage { cpu_seconds, memory_bytes: process.memory() })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;
    use crate::base::queue;
    use crate::net::Runtime;
    use crate::server::access::limits::Limits;
    use crate::server::event::{LinkFigures, Protocol, PublisherFigures, Stalls};
    use crate::server::registry::config::Config;
    use crate::server::stream::Stream;
    use crate::server::stream::flv_sink::FlvSink;

    #[test]
    fn the_time_is_that_of_the_system_as_in_events() {
        let runtime = Runtime::start().unwrap();
        let (sender, _events) = queue::bounded("test", 16, queue::Full::DropOldest);
        // The system's clock was set after the server started.
        let clock = Clock::start_at(0);
        let registry = Registry::new(Config::default(), clock, sender, runtime.handle());
        let before = unix_seconds(Clock::system_micros());
        let Json(figures) = runtime.block_on(server(State(Arc::new(registry))));
        assert!(figures["now"].as_f64().unwrap() >= before, "{figures}");
    }

    #[test]
    fn streams_that_are_not_recorded_need_no_space() {
        let figures = |stream: &str, bitrate| StreamFigures {
            app: "live".to_owned(),
            stream: stream.to_owned(),
            publisher: Some(PublisherFigures {
                protocol: Protocol::Rtmp,
                link: LinkFigures::default(),
                layers: Vec::new(),
                id: 7,
                address: "192.0.2.77:5000".parse().unwrap(),
                since: Duration::from_secs(3),
                bytes: 10,
                bitrate,
                encoder: None,
                stalls: Stalls::default(),
                video: None,
                audio: None,
            }),
            viewers: 0,
            hls_viewers: 0,
            whep_viewers: 0,
            protocols: BTreeMap::new(),
        };
        let streams = [figures("show", 3_000), figures("test", 900_000)];
        let files = Files::default();
        assert_eq!(recorded_bitrate(&streams, &files), 0);
        let home = [127, 0, 0, 1].into();
        let show = Stream::new("live".into(), "show".into(), home, Limits::default());
        files.begin(&Arc::new(show), &FlvSink::for_file(7, 10), 1);
        assert_eq!(recorded_bitrate(&streams, &files), 3_000);
    }
}
