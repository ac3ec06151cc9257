//! Formats the figures of one second as JSON.

use std::time::Duration;

use serde_json::{Value, json};

use crate::studio::event::stats::{self, Stats};

/// Returns a duration in seconds, rounded to milliseconds.
pub fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000.0).round() / 1_000.0
}

/// Rounds a number to two decimals.
pub fn two_decimals(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Returns the fields of the event `stats`.
pub fn stats_fields(stats: &Stats) -> Value {
    let video = stats.video.map(|video| video_fields(&video));
    let audio = stats.audio.map(|audio| {
        let mut fields = json!({
            "samples": audio.samples,
            "bitrate": audio.bitrate,
            "level_dbfs": one_decimal(audio.level_dbfs.into()),
            "held_dbfs": one_decimal(audio.held_dbfs.into()),
            "clipped": audio.clipped,
            "rms_dbfs": one_decimal(audio.rms_dbfs.into()),
        });
        let known = [
            ("true_peak_dbtp", audio.true_peak_dbtp.map(f64::from)),
            ("momentary_lufs", audio.momentary_lufs.map(f64::from)),
            ("short_term_lufs", audio.short_term_lufs.map(f64::from)),
            ("integrated_lufs", audio.integrated_lufs.map(f64::from)),
            ("drift_ppm", audio.drift_ppm),
        ];
        insert_known(&mut fields, known, one_decimal);
        fields
    });
    let canvas = stats.canvas.as_ref().map(|canvas| {
        let video = canvas.video.map(|video| {
            let mut fields = video_fields(&video);
            if let Value::Object(fields) = &mut fields {
                // It is drawn with the program, and has no second encode.
                fields.remove("captured");
            }
            fields
        });
        json!({ "video": video, "targets": target_fields(&canvas.targets) })
    });
    let delay = stats.delay.map(|delay| {
        json!({
            "state": delay.state.name(),
            "seconds": seconds(delay.delay),
            "held_ms": u64::try_from(delay.held.as_millis()).unwrap_or(u64::MAX),
            "memory_bytes": delay.memory_bytes,
            "disk_bytes": delay.disk_bytes,
        })
    });
    let guests = stats.guests.map(|guests| {
        let (height, fps) = guests.budget.shape;
        json!({
            "count": guests.budget.count,
            "bitrate": guests.received,
            "allowed_bitrate": guests.budget.bitrate,
            "max_height": height,
            "max_fps": fps,
            "lowered": guests.budget.is_lowered,
            "sent_bitrate": guests.sent,
        })
    });
    json!({
        "video": video,
        "audio": audio,
        "strips": stats.strips.iter().map(strip_fields).collect::<Vec<_>>(),
        "targets": target_fields(&stats.targets),
        "canvas": canvas,
        "guests": guests,
        "delay": delay,
        "cpu": (f64::from(stats.cpu) * 1_000.0).round() / 1_000.0,
        "rss_bytes": stats.rss_bytes,
    })
}

/// Returns the figures of a video.
fn video_fields(video: &stats::Video) -> Value {
    let mut fields = json!({
        "captured": video.captured,
        "encoded": video.encoded,
        "skipped": video.skipped,
        "fps": two_decimals(video.fps),
        "bitrate": video.bitrate,
        "allowed_bitrate": video.allowed,
        "keyframes": video.keyframes,
    });
    insert_known(&mut fields, [("encode_ms", video.encode_ms)], two_decimals);
    if let Value::Object(fields) = &mut fields {
        if let Some(size) = video.size {
            fields.insert("size".into(), size.to_string().into());
        }
        if let Some((size, bitrate)) = video.second {
            let second = json!({ "size": size.to_string(), "allowed_bitrate": bitrate });
            fields.insert("second".into(), second);
        }
    }
    fields
}

/// Returns the figures of targets.
fn target_fields(targets: &[stats::Target]) -> Vec<Value> {
    let fields = |target: &stats::Target| {
        let mut fields = json!({
            "state": target.state.name(),
            "sent_bytes": target.sent_bytes,
            "bitrate": target.bitrate,
            "queued_ms": target.queued_ms,
            "dropped_frames": target.dropped_frames,
            "dropped_audio": target.dropped_audio,
            "lost_frames": target.lost_frames,
            "sent_frames": target.sent_frames,
            "reconnects": target.reconnects,
            "rendition": target.rendition_id.name(),
        });
        if let (2.., Value::Object(fields)) = (target.layers, &mut fields) {
            fields.insert("layers".into(), target.layers.into());
        }
        if let (Some(size), Value::Object(fields)) = (target.size, &mut fields) {
            fields.insert("size".into(), size.to_string().into());
        }
        let times =
            [("round_trip_ms", target.round_trip_ms), ("frame_age_ms", target.frame_age_ms)];
        insert_known(&mut fields, times, two_decimals);
        let is_repeating = target.loss.is_some() || target.repeated_bytes > 0;
        let repeated = is_repeating.then_some(target.repeated_bytes as f64);
        let losses = [("loss", target.loss), ("repeated_bytes", repeated)];
        insert_known(&mut fields, losses, three_decimals);
        if let (Some(monitor), Value::Object(fields)) = (&target.monitor, &mut fields) {
            fields.insert("monitor".into(), monitor_fields(monitor));
        }
        fields
    };
    targets.iter().map(fields).collect()
}

/// Returns the figures of a mixer strip.
fn strip_fields(strip: &stats::Strip) -> Value {
    let mut fields = json!({
        "name": strip.name,
        "state": strip.state.name(),
        "level_dbfs": one_decimal(strip.level_dbfs.into()),
        "held_dbfs": one_decimal(strip.held_dbfs.into()),
        "clipped": strip.clipped,
        "rms_dbfs": one_decimal(strip.rms_dbfs.into()),
    });
    insert_known(&mut fields, [("drift_ppm", strip.drift_ppm)], one_decimal);
    fields
}

/// Rounds a number to one decimal.
pub fn one_decimal(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// Rounds a share.
fn three_decimals(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

/// Adds known values, rounded. Unknown values are omitted.
fn insert_known<const N: usize>(
    fields: &mut Value,
    known: [(&str, Option<f64>); N],
    rounded: fn(f64) -> f64,
) {
    let Value::Object(fields) = fields else { return };
    for (name, value) in known {
        if let Some(value) = value {
            fields.insert(name.into(), rounded(value).into());
        }
    }
}

/// Returns the figures of the viewer monitor. Unknown values are omitted.
fn monitor_fields(monitor: &stats::Monitor) -> Value {
    let mut fields = json!({ "state": monitor.state, "bitrate": monitor.bitrate });
    let known = [
        ("latency_ms", monitor.latency_ms),
        ("av_offset_ms", monitor.av_offset_ms),
        ("fps", monitor.fps),
    ];
    insert_known(&mut fields, known, one_decimal);
    fields
}
