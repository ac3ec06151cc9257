//! Test of variant selection on a slow link whose bandwidth later increases.

use onair::player::State;

use super::{CODE, PICTURE, TONE, ffmpeg, serve};
use crate::peers::throttle::Throttle;
use crate::peers::{self, LIMIT};
use crate::watch::{Watching, config};

/// Names, sizes and bitrates of the variants, in playlist order.
const VARIANTS: [(&str, &str, &str); 3] =
    [("high", "480x270", "1200k"), ("middle", "320x180", "450k"), ("low", "160x90", "120k")];

#[test]
fn the_variant_goes_down_where_the_way_is_slow_and_up_as_it_gets_fast() {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let mut options: Vec<String> = Vec::new();
    let mut add = |words: &[&str]| options.extend(words.iter().map(|word| (*word).to_owned()));
    add(&["-t", "60", "-b:a", "48k", "-x264-params", "nal-hrd=cbr"]);
    let mut map = Vec::new();
    for (at, (name, size, rate)) in VARIANTS.iter().enumerate() {
        add(&["-map", "0:v", "-map", "1:a", &format!("-s:v:{at}"), size]);
        // Constant bitrate: filler makes each variant as large as the playlist says.
        for flag in ["-b:v", "-minrate:v", "-maxrate:v", "-bufsize:v"] {
            add(&[&format!("{flag}:{at}"), rate]);
        }
        map.push(format!("v:{at},a:{at},name:{name}"));
    }
    let map = map.join(" ");
    add(&["-f", "hls", "-hls_time", "1", "-hls_list_size", "0", "-master_pl_name", "master.m3u8"]);
    add(&["-var_stream_map", &map, "%v.m3u8"]);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    ffmpeg(folder.path(), &[&PICTURE, &TONE, &CODE, &options]).wait_success(LIMIT * 2);
    let web = serve(folder.path());

    // The player starts with the first variant in the playlist, which is too large for this
    // connection.
    let link = Throttle::start_back(web.http, 250_000);
    let watching = Watching::start(&config(&format!("http://127.0.0.1:{}/master.m3u8", link.port)));
    let width = |it: &Watching| it.player.figures().size.map(|size| size.width);
    watching.wait("the first pictures", |it| width(it) == Some(480));
    watching.wait("the least one", |it| width(it) == Some(160));
    link.set(1_000_000);
    watching.wait("the middle one", |it| width(it) == Some(320));
    link.set(50_000_000);
    watching.wait("the best one", |it| width(it) == Some(480));
    let shown = watching.shown();
    watching.wait("going on", |it| it.shown() > shown + 50);
    assert_eq!(watching.player.state(), State::Playing);
    let figures = watching.player.figures();
    assert_eq!((figures.damaged, figures.reconnects), (0, 0), "{figures:?}");
    watching.end();
}
