//! Tests of scenes on the air, checked at the receiver: scene switches, edits, clips and stingers.

use super::*;

const SCENES: &str = "[collection]
current = 'Bars'
transition = 'cut'
[[collection.scenes]]
name = 'Bars'
[[collection.scenes.items]]
main = true
[[collection.scenes]]
name = 'Dark corner'
[[collection.scenes.items]]
main = true
[[collection.scenes.items]]
source = 'Black'
x = 0.25
y = 0.25
width = 0.5
height = 0.25
fit = 'stretch'
[[collection.scenes]]
name = 'Light'
[[collection.scenes.items]]
source = 'White'
fit = 'stretch'
[[collection.sources]]
name = 'Black'
source = 'color:#000000'
[[collection.sources]]
name = 'White'
source = 'color:#ffffff'
";

/// Returns, for each frame of a file, the time in its code band and the mean luma of the middle of
/// the box.
fn pictures(file: &Path) -> Vec<(Option<u64>, u32)> {
    let size = PROGRAM;
    let stride = size.width as usize;
    let of = |luma: &[u8]| {
        let rows = luma.chunks_exact(stride).skip(100).take(70);
        let cells = rows.flat_map(|row| row[200..440].iter());
        let sum: u32 = cells.map(|&y| u32::from(y)).sum();
        (markers::read_band(luma, stride, size), sum / (70 * 240))
    };
    ffmpeg::luma(file).chunks_exact(size.pixels()).map(of).collect()
}

/// Starts a broadcast of a scene that is recorded to a file. Returns it with its standard input and
/// output.
fn live(
    folder: &Path,
    settings: &Path,
    scene: &str,
    audio: &str,
    file: &Path,
) -> (Child, ChildStdin, BufReader<ChildStdout>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_onair"))
        .args(["live", "--json", "--scene", scene, "--audio", audio, "--size", "640x360"])
        .args(["--fps", "15", "--control", "--settings"])
        .arg(settings)
        .args(["--video", "test", "--record"])
        .arg(file)
        .env("XDG_CACHE_HOME", folder)
        .env("XDG_STATE_HOME", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let control = child.stdin.take().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, control, output)
}

#[test]
fn scenes_switch_on_air_without_a_lost_or_torn_frame() {
    crate::peers::in_real_time!(scenes_switch_on_air_without_a_lost_or_torn_frame);
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (settings, file) = (folder.path().join("s.toml"), folder.path().join("out.mkv"));
    fs::write(&settings, SCENES).unwrap();
    let (mut child, mut control, output) = live(folder.path(), &settings, "bars", "tone", &file);
    let mut events = Vec::new();
    let mut seconds = 0;
    for line in std::io::BufRead::lines(output) {
        let event: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        if event["event"] == "stats" {
            seconds += 1;
            // Every second, the scene changes, with a cut or a fade.
            let words: &[&str] = match seconds {
                1 => &["scene Dark corner"],
                2 => &["transition fade 400ms", "scene Bars"],
                3 => &["scene Dark corner"],
                4 => &["transition cut", "scene Bars", "scene Dark corner", "scene Bars"],
                5 => &["stop"],
                _ => &[],
            };
            for word in words {
                writeln!(control, "{word}").unwrap();
            }
        }
        events.push(event);
    }
    assert!(child.wait().unwrap().success(), "{events:#?}");
    let switches = events.iter().filter(|event| event["event"] == "scene").count();
    assert_eq!(switches, 6, "{events:#?}");
    let skipped = events.iter().filter(|event| event["event"] == "stats");
    let skipped = skipped.filter_map(|event| event["video"]["skipped"].as_u64()).max().unwrap();
    let pictures = pictures(&file);
    assert!(pictures.len() > 40, "{}", pictures.len());
    let times: Vec<u64> =
        pictures.iter().map(|(time, _)| time.expect("a band that cannot be read: torn")).collect();
    // At 15 fps, frames are 66 or 67 ms apart.
    let missing: u64 = times
        .windows(2)
        .map(|pair| {
            assert!(pair[1] >= pair[0], "{pair:?}");
            (((pair[1] - pair[0]) as f64 * 15.0 / 1_000.0).round() as u64).saturating_sub(1)
        })
        .sum();
    // A slow computer repeats frames, and onair reports this.
    let repeated = times.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64;
    assert!(
        repeated == 0 || events.iter().any(|event| event["key"] == "degradation-rate"),
        "{repeated}"
    );
    let excused = skipped + repeated;
    assert!(missing <= excused, "{missing} pictures are missing, {excused} are accounted for");
    // The box is either dark or bright. Only a fade lies in between.
    let dark = pictures.iter().filter(|(_, luma)| *luma <= 20).count();
    let bright = pictures.iter().filter(|(_, luma)| *luma > 50).count();
    assert!(dark >= 8 && bright >= 8, "{dark} {bright}");
}

/// Returns the values that last for at least four items, in order. Shorter ones belong to a change
/// in progress.
fn long<T: Copy + PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut runs: Vec<(T, usize)> = Vec::new();
    for it in all {
        match runs.last_mut() {
            Some((last, count)) if *last == it => *count += 1,
            _ => runs.push((it, 1)),
        }
    }
    let mut seen: Vec<T> = runs.iter().filter(|it| it.1 >= 4).map(|it| it.0).collect();
    seen.dedup();
    seen
}

/// Returns the highest peak of each tenth of a second in a file's audio, in decibels, rounded to
/// tens.
fn peaks(file: &Path) -> Vec<i32> {
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-v", "error", "-i"])
        .arg(file)
        .args(["-vn", "-ac", "1", "-ar", "8000", "-f", "f32le", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let samples =
        output.stdout.chunks_exact(4).map(|it| f32::from_le_bytes(it.try_into().unwrap()));
    let samples: Vec<f32> = samples.collect();
    let peak = |part: &[f32]| part.iter().fold(1e-4_f32, |most, it| most.max(it.abs()));
    samples.chunks_exact(800).map(|it| (2.0 * peak(it).log10()).round() as i32 * 10).collect()
}

#[test]
fn items_filters_strips_and_the_preview_are_changed_by_lines_on_the_air() {
    crate::peers::in_real_time!(
        items_filters_strips_and_the_preview_are_changed_by_lines_on_the_air
    );
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (settings, file) = (folder.path().join("s.toml"), folder.path().join("out.mkv"));
    let hidden = SCENES.replace("height = 0.25\n", "height = 0.25\nhidden = true\n");
    fs::write(&settings, hidden).unwrap();
    let scene = "dark corner";
    let (mut child, mut control, output) = live(folder.path(), &settings, scene, "tone", &file);
    let steps: [&[&str]; 8] = [
        &["item show Black", "strip gain 10"],
        &["item place Black: x=0 y=0 width=0.1 height=0.1", "strip mute"],
        &[
            "item place Black: x=0.25 y=0.25 width=0.5 height=0.25",
            "filter add color Black: brightness=1",
            "strip unmute",
            "strip filter add gain",
            // Each line builds on the change that the line before it made.
            "strip filter set gain db=10",
        ],
        &["filter off color Black", "strip filter off gain"],
        &[
            "take",
            "prepare Light",
            "item hide Nothing",
            "filter set color Black: swirl=1",
            "media pause Black",
            "media remove 2 Black",
        ],
        &["take fade 200ms"],
        &["take"],
        &["stop"],
    ];
    let mut steps = steps.into_iter();
    // The number of lines without an answer, and how much had been encoded at the first `stats`
    // event after the last answer.
    let (mut events, mut waits, mut since) = (Vec::new(), 0, None);
    for line in std::io::BufRead::lines(output) {
        let event: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        match event["event"].as_str() {
            Some("control") => waits -= 1,
            Some("stats") if waits == 0 => {
                let pictures = event["video"]["encoded"].as_u64().unwrap();
                let samples = event["audio"]["samples"].as_u64().unwrap();
                let (first, begin) = *since.get_or_insert((pictures, samples));
                // The result of a step must be in the file for a while before the next step.
                if pictures - first >= 12 && samples - begin >= 40_000 {
                    let step = steps.next().unwrap_or_default();
                    step.iter().for_each(|line| writeln!(control, "{line}").unwrap());
                    (waits, since) = (step.len(), None);
                }
            }
            _ => {}
        }
        events.push(event);
    }
    assert!(child.wait().unwrap().success(), "{events:#?}");
    let answers: Vec<_> = events.iter().filter(|event| event["event"] == "control").collect();
    let refused: Vec<&str> = answers.iter().filter_map(|it| it["reason"].as_str()).collect();
    assert_eq!((answers.len(), refused.len()), (20, 5), "{answers:#?}");
    assert!(refused[0].contains("prepare SCENE"), "{refused:?}");
    assert!(refused[1].contains("Nothing") && refused[2].contains("swirl"), "{refused:?}");
    assert!(refused[3].contains("not play media") && refused[4].contains("file 2"), "{refused:?}");
    let scenes = events.iter().filter(|event| event["event"] == "scene").map(|it| &it["name"]);
    assert_eq!(scenes.collect::<Vec<_>>(), ["Light", "Dark corner"]);
    let seen = long(pictures(&file).iter().map(|(_, luma)| match luma {
        0..=30 => "dark",
        210.. => "white",
        _ => "picture",
    }));
    assert_eq!(seen, ["picture", "dark", "picture", "white", "dark", "white", "dark"]);
    // The tone is at −40 dBFS, except for a loud moment each second.
    let loud = peaks(&file).into_iter().filter(|peak| *peak < -10);
    assert_eq!(long(loud), [-40, -30, -80, -20, -30]);
}

/// Makes a clip of one second whose right half is the track matte: white in the middle. In the
/// second half of the time, the clip is gray and has a tone.
fn clip(path: &Path) {
    let graph = "color=white:s=640x360:r=30:d=0.5[a];color=gray:s=640x360:r=30:d=0.5[b];\
                 [a][b]concat[picture];color=black:s=640x360:r=30:d=1,\
                 drawbox=x=160:y=90:w=320:h=180:color=white:t=fill[matte];[picture][matte]hstack";
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-v", "error", "-y", "-filter_complex", graph])
        .args(["-f", "lavfi", "-i", "aevalsrc='if(gte(t,0.5),0.5*sin(6283.185*t),0)':s=44100:d=1"])
        .args(["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "128k"])
        .arg(path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_clip_plays_by_its_own_time_from_when_it_is_started() {
    crate::peers::in_real_time!(a_clip_plays_by_its_own_time_from_when_it_is_started);
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mp4");
    clip(&path);
    // Not the sample rate of the clip.
    let mut clip = onair::player::source::clip::open(&path, 48_000, 2).unwrap();
    let mut audio = clip.audio.take().unwrap();
    let begin = 7_000_000;
    let at = |micros: i64| Timestamp::from_micros(begin + micros);
    let (mut grey, mut tone, mut pulled) = (None, None, 0);
    let mut block = [0.0; 960];
    for frame in 0..29 {
        let now = frame * 1_000_000 / 30;
        let mut tries = 0;
        let seen = loop {
            match clip.video.moment(at(now)) {
                Moment::Frame(seen) if seen.pts.as_micros() >= now - 17_000 => break seen,
                Moment::Over => panic!("over after {now} µs"),
                // The decoder runs on another thread.
                _ => std::thread::sleep(std::time::Duration::from_millis(2)),
            }
            tries += 1;
            assert!(tries < 10_000, "nothing at {now} µs");
        };
        assert_eq!((seen.size().width, seen.size().height), (1280, 360));
        if seen.planes().y[20] < 200 {
            grey.get_or_insert(seen.pts.as_micros());
        }
        // Audio is pulled later than video, so that it is already decoded.
        while pulled * 10_000 + 200_000 < now {
            audio.pull(at(pulled * 10_000), &mut block);
            let loud = block.chunks_exact(2).position(|frame| frame[0].abs() > 0.1);
            if let Some(index) = loud.filter(|_| tone.is_none()) {
                tone = Some(pulled * 10_000 + index as i64 * 1_000_000 / 48_000);
            }
            pulled += 1;
        }
    }
    let (grey, tone) = (grey.unwrap(), tone.unwrap());
    assert!((grey - 500_000).abs() <= 17_000, "{grey}");
    assert!((tone - 500_000).abs() <= 3_000, "the tone begins at {tone} µs");
    let over = (0..10_000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(1));
        matches!(clip.video.moment(at(1_100_000)), Moment::Over)
    });
    assert!(over);
}

#[test]
fn a_stinger_covers_the_change_of_scenes_on_air_and_is_audible() {
    crate::peers::in_real_time!(a_stinger_covers_the_change_of_scenes_on_air_and_is_audible);
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    clip(&path("swoosh.mp4"));
    let file = path("out.mkv");
    let stinger = format!(
        "[collection.stinger]\nfile = '{}'\ncut_ms = 500\nmatte = 'right'\n",
        path("swoosh.mp4").display()
    );
    let settings = SCENES.replace("transition = 'cut'", "transition = 'stinger'") + &stinger;
    fs::write(path("s.toml"), settings).unwrap();
    let (mut child, mut control, output) =
        live(folder.path(), &path("s.toml"), "bars", "silence", &file);
    let (mut events, mut seconds, mut switches, mut whole) = (Vec::new(), 0, 0, 0);
    // Whether degradation suppresses transitions now, and whether it has done so since the last
    // switch.
    let (mut strained, mut since) = (false, false);
    for line in std::io::BufRead::lines(output) {
        let event: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        match event["key"].as_str() {
            Some("degradation-over") => strained = false,
            Some("degradation-transitions" | "degradation-filters" | "degradation-rate") => {
                (strained, since) = (true, true);
            }
            _ => {}
        }
        if event["event"] == "stats" {
            seconds += 1;
            // The scene switches every other second, until two switches (not counting the first)
            // have passed without degradation. On a busy computer, the clip may not be loaded in
            // time for the first one.
            if seconds % 2 == 0 {
                whole += usize::from(switches > 1 && !since);
                since = strained;
                if whole >= 2 {
                    writeln!(control, "stop").unwrap();
                } else {
                    let scene = ["Dark corner", "Bars"][switches % 2];
                    writeln!(control, "scene {scene}").unwrap();
                    switches += 1;
                }
            }
            assert!(seconds < 140, "this machine gave transitions up all the time: {events:#?}");
        }
        events.push(event);
    }
    assert!(child.wait().unwrap().success(), "{events:#?}");
    assert!(!events.iter().any(|event| event["key"] == "transition-failed"), "{events:#?}");
    assert!(whole >= 2, "{events:#?}");
    let lumas: Vec<u32> = pictures(&file).iter().map(|(_, luma)| *luma).collect();
    let white = lumas.iter().filter(|luma| **luma > 225).count();
    let dark = lumas.iter().filter(|luma| **luma <= 20).count();
    // Each stinger is white for at most half a second (at 15 fps). The dark scene follows it.
    assert!((2..=switches * 14).contains(&white) && dark >= 4, "{switches}: {lumas:?}");
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-v", "error", "-i"])
        .arg(&file)
        .args(["-vn", "-ac", "1", "-ar", "48000", "-f", "f32le", "-"])
        .output()
        .unwrap();
    let samples = output.stdout.chunks_exact(4);
    let loud = samples.filter(|it| f32::from_le_bytes([it[0], it[1], it[2], it[3]]).abs() > 0.1);
    let millis = loud.count() / 48;
    // The tone lasts half a second each time. In a sine of amplitude 0.5, about 87 % of the samples
    // exceed 0.1.
    assert!((100..=switches * 500).contains(&millis), "{millis} ms of tone of {switches}");
}

#[test]
fn items_are_duplicated_on_air_with_their_source_and_with_a_new_one() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (settings, file) = (folder.path().join("s.toml"), folder.path().join("out.mkv"));
    // White replaces the main source, so that the black boxes are easy to find.
    let text = SCENES.replace("main = true\n", "source = 'White'\n");
    fs::write(&settings, text).unwrap();
    let (mut child, mut control, output) = live(folder.path(), &settings, "bars", "silence", &file);
    let mut seconds = 0;
    for line in std::io::BufRead::lines(output) {
        let event: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        if event["event"] == "stats" {
            seconds += 1;
            // A name refers to the topmost item, so the second copy is placed relative to the first
            // one.
            let words = match seconds {
                1 => "scene Dark corner",
                2 => "duplicate Black",
                3 => "duplicate-source Black",
                5 => "stop",
                _ => continue,
            };
            writeln!(control, "{words}").unwrap();
        }
    }
    assert!(child.wait().unwrap().success());
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-v", "error", "-sseof", "-0.5", "-i"])
        .arg(&file)
        .args(["-an", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let at = |x: usize, y: usize| output.stdout[y * PROGRAM.width as usize + x];
    // The boxes have 320×90 pixels, and begin at 25 %, 28 % and 31 %. Their lower right corners are
    // visible.
    let corners = [(474, 174), (494, 185), (513, 196)].map(|(x, y)| at(x, y) < 40);
    assert_eq!(corners, [true; 3], "the box and two more of it");
    assert!(at(530, 196) > 200 && at(513, 210) > 200, "and no fourth");
}

#[test]
fn a_scene_that_is_not_there_is_refused_with_the_names() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("s.toml");
    fs::write(&settings, SCENES).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_onair"))
        .args(["live", "--scene", "Nowhere", "--settings"])
        .arg(&settings)
        .args(["--record", "never.mkv"])
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{words}");
    assert!(words.contains("Bars, Dark corner"), "{words}");
}
