//! Tests the import of OBS's collections.

use super::devices::KnownDevices;
use super::{Import, Problem, import, is_one, problem};
use crate::capture::WhenHidden;
use crate::compose::scene::{
    Blend, Content, Fit, Item, ItemTransition, ItemTransitionKind, SourceId,
};

fn import_text(text: &str) -> Result<Import, Problem> {
    let json = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if !is_one(&json) {
        return Err("another file".into());
    }
    let mut import = import(&json);
    let none = |_: &str| None;
    import.settle_devices(&KnownDevices { camera: &|_| None, microphone: &none, speaker: &none });
    Ok(import)
}

const SCENE_COLLECTION_JSON: &str = r#"{
  "current_scene": "Game", "current_program_scene": "Game", "current_transition": "Slide",
  "transition_duration": 450, "name": "Untitled", "resolution": {"x": 1280, "y": 720},
  "scene_order": [{"name": "Game"}, {"name": "Break"}],
  "sources": [
    {"id": "v4l2_input", "name": "Cam", "settings": {"device_id": "/dev/video0"},
     "filters": [{"id": "chroma_key_filter_v2", "name": "Key", "enabled": false,
                  "settings": {"key_color_type": "blue", "similarity": 250}},
                 {"id": "shader_filter", "name": "Glow"}]},
    {"id": "ffmpeg_source", "name": "Clip", "settings": {"local_file": "/v/clip.mp4"}},
    {"id": "browser_source", "name": "Alerts", "settings": {"url": "https://example.org"}},
    {"id": "pulse_input_capture", "name": "Mic", "settings": {"device_id": "usb-7"}},
    {"id": "scene", "name": "Break", "settings": {"items": [
      {"name": "Game", "pos": {"x": 0, "y": 0}, "scale": {"x": 0.5, "y": 0.5}},
      {"name": "Nobody"}]}},
    {"id": "scene", "name": "Game", "settings": {"items": [
      {"name": "Clip", "visible": false, "locked": true, "pos": {"x": 640, "y": 360},
       "align": 0, "rot": 90.0, "scale": {"x": -0.5, "y": 0.5}, "bounds_type": 0,
       "blend_type": "screen"},
      {"name": "Cam", "pos": {"x": 960, "y": 540}, "align": 5, "bounds_type": 3,
       "bounds": {"x": 320, "y": 180}},
      {"name": "Alerts"},
      {"name": "Box"}]}}],
  "groups": [{"id": "group", "name": "Box", "settings": {"items": [{"name": "Cam"}]}}]
}"#;

#[test]
fn a_collection_of_obs_is_imported_and_the_rest_is_listed() {
    let import = import_text(SCENE_COLLECTION_JSON).unwrap();
    let it = &import.collection;
    let names: Vec<_> = it.scenes.iter().map(|scene| scene.name.as_str()).collect();
    assert_eq!(names, ["Game", "Break"]);
    assert_eq!(it.current().unwrap().name, "Game");
    let sources: Vec<_> =
        it.sources.iter().map(|it| (it.name.as_str(), it.choice.to_string())).collect();
    let page = ("Alerts", "browser:https://example.org".into());
    assert_eq!(sources, [("Clip", "file:/v/clip.mp4".into()), ("Cam", "camera".into()), page]);
    let hidden: Vec<_> = it.sources.iter().map(|it| it.properties.hidden).collect();
    assert_eq!(hidden[..2], [WhenHidden::Restarts, WhenHidden::Plays]);
    let [clip, cam, _, group] = it.scenes[0].items.as_slice() else { panic!() };
    assert!(clip.hidden && clip.locked && clip.place.flip_x && clip.blend == Blend::Screen);
    assert!((clip.place.x - 0.25).abs() < 1e-9 && (clip.place.rotation - 90.0).abs() < 1e-9);
    assert_eq!((cam.place.x, cam.place.width, cam.place.fit), (0.75, 0.25, Fit::Cover));
    assert_eq!(group.members().len(), 1);
    assert!(matches!(it.scenes[1].items[0].content, Content::Scene(_)));
    let left_out: String = import.left_out.iter().map(|it| format!("{it}\n")).collect();
    assert!(left_out.contains("filters of 'Cam' (shader_filter"), "{left_out}");
    // A device has another name here, and the import reports that it must be chosen.
    let devices = left_out.contains("the device (onair shows the first camera)")
        && left_out.contains("the device of 'Mic' (onair uses the system's default");
    assert!(devices, "{left_out}");
    let strips: Vec<_> = import.strips.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(strips, ["Clip", "Mic"]);
    let [key] = it.sources[1].filters.as_slice() else { panic!("{:?}", it.sources[1]) };
    assert_eq!((key.filter.kind(), key.enabled), ("chroma-key", false));
}

#[test]
fn devices_that_exist_keep_their_ids() {
    let file = serde_json::json!({
        "current_scene": "A", "scene_order": [{"name": "A"}],
        "sources": [
            {"id": "v4l2_input", "name": "Cam", "settings": {"device_id": "/dev/video2"}},
            {"id": "v4l2_input", "name": "Gone", "settings": {"device_id": "/dev/video9"}},
            {"id": "pulse_input_capture", "name": "Mic", "settings": {"device_id": "usb_mic"}},
            {"id": "pulse_output_capture", "name": "Desk",
             "settings": {"device_id": "hdmi.monitor"}},
            {"id": "pulse_input_capture", "name": "Old", "settings": {"device_id": "old_mic"}},
            {"id": "scene", "name": "A", "settings": {"items": [{"name": "Cam"}, {"name": "Gone"},
                {"name": "Mic"}, {"name": "Desk"}, {"name": "Old"}]}},
        ],
    });
    let mut import = import(&file);
    import.settle_devices(&KnownDevices {
        camera: &|path| (path == "/dev/video2").then(|| "usb-2".to_owned()),
        microphone: &|name| (name == "usb_mic").then(|| format!("pulse:{name}")),
        speaker: &|name| (name == "hdmi").then(|| format!("pulse:{name}")),
    });
    let sources = import.collection.sources.iter().map(|it| it.choice.to_string());
    assert_eq!(sources.collect::<Vec<_>>(), ["camera:usb-2", "camera"]);
    let mut strips: Vec<_> = import.strips.iter().map(|it| it.choice.to_string()).collect();
    strips.sort();
    assert_eq!(strips, ["mic", "mic:pulse:usb_mic", "system:pulse:hdmi"]);
    assert_eq!(
        import.left_out.iter().filter(|it| it.id() != "import-size-unknown").count(),
        2,
        "{:?}",
        import.left_out
    );
}

#[test]
fn nothing_is_dropped_without_a_word() {
    let file = serde_json::json!({
        "current_scene": "A", "scene_order": [{"name": "A"}],
        "modules": {"scripts-tool": [{"path": "/a.lua"}]},
        "sources": [
            {"id": "color_source", "name": "Red", "settings": {"width": 16, "height": 9}, "filters": [
                {"id": "shader_filter", "name": "Glow"}, {"id": "gain_filter"}]},
            {"id": "color_source", "name": "Spare", "hotkeys": {"libobs.mute": []}},
            {"id": "scene", "name": "B", "settings": {"items": []}},
            {"id": "scene", "name": "A", "hotkeys": {"select": [{"key": "OBS_KEY_1"}]},
             "filters": [{"id": "color_filter_v2", "name": "Warm"}, {"id": "blur"}],
             "settings": {"items": [
                {"name": "Red", "blend_method": "srgb_off"}, {"name": "Gone"}, {},
                {"name": "Box", "crop_left": 10}, {"name": "B", "crop_left": 192}, {"name": "A"}]}},
        ],
        "groups": [
            {"id": "group", "name": "Box", "settings": {"items": []},
             "filters": [{"id": "chroma_key_filter", "name": "Key"}]},
            {"id": "group", "name": "Old", "settings": {"items": []}},
        ],
    });
    let import = import_text(&file.to_string()).unwrap();
    assert_eq!(
        import.left_out,
        [
            "'Old' (no scene shows it)",
            "'Spare' (no scene shows it)",
            "an item in 'A' without a source",
            "filters of 'A' (blur)",
            "filters of 'Red' (shader_filter 'Glow')",
            "items in 'A' that show 'A' itself",
            "the blending method of 'Red' (SRGB Off)",
            "the crop of 'Box'",
            "the hotkeys",
            "the item 'Gone' in 'A' (its source does not exist)",
            "the scripts",
        ]
    );
    let [_, group, scene] = &import.collection.scenes[0].items[..] else { panic!() };
    let kinds = |id: SourceId| {
        let all = import.collection.filters(id).iter();
        all.map(|slot| slot.filter.kind()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(SourceId::of_scene(import.collection.scenes[0].id)), ["color"]);
    assert_eq!(kinds(group.filtered()), ["chroma-key"]);
    assert!((scene.place.crop.left - 0.1).abs() < 1e-9, "a scene is as large as the canvas");
    let many = Import { left_out: vec!["x".into(); 33], ..import };
    let short = many.left_out_in_short();
    assert_eq!((short.len(), &short[30]), (31, &problem!("import-and-more", count = 3)));
}

#[test]
fn what_has_no_bounds_is_as_large_as_its_file_says() {
    let folder = tempfile::tempdir().unwrap();
    let logo = folder.path().join("logo.png");
    image::RgbaImage::new(200, 100).save(&logo).unwrap();
    let clip = folder.path().join("clip.y4m");
    let frame = [vec![16; 64 * 36], vec![128; 64 * 18]].concat();
    std::fs::write(&clip, [b"YUV4MPEG2 W64 H36 F30:1\nFRAME\n".as_slice(), &frame].concat())
        .unwrap();
    let file = serde_json::json!({
        "current_scene": "A", "resolution": {"x": 1280, "y": 720},
        "scene_order": [{"name": "A"}],
        "sources": [
            {"id": "image_source", "name": "Logo", "settings": {"file": logo}},
            {"id": "ffmpeg_source", "name": "Clip",
             "settings": {"local_file": clip, "looping": true}},
            {"id": "ffmpeg_source", "name": "Gone", "volume": 0.5,
             "settings": {"local_file": "/none/gone.mp4", "looping": true}},
            {"id": "text_ft2_source_v2", "name": "Words", "settings":
                {"text": "Hello", "font": {"face": "", "size": 40}, "color1": 0xFF00_00FF_u32,
                 "color2": 0xFF00_00FF_u32}},
            {"id": "xshm_input", "name": "Desk", "settings": {"cut_top": 72}},
            {"id": "color_source_v3", "name": "Bar", "settings": {"width": 1280, "height": 90}},
            {"id": "scene", "name": "A", "settings": {"items": [
                {"name": "Logo", "pos": {"x": 64, "y": 72}, "scale": {"x": 2, "y": 2},
                 "crop_left": 50, "scale_filter": "lanczos",
                 "show_transition": {"id": "fade_transition"},
                 "hide_transition": {"id": "slide_transition", "duration": 700,
                                     "transition": {"direction": "left"}}},
                {"name": "Clip", "pos": {"x": 0, "y": 0}},
                {"name": "Gone", "pos": {"x": 0, "y": 0}},
                {"name": "Words", "pos": {"x": 100, "y": 10}},
                {"name": "Desk", "bounds_type": 1, "bounds": {"x": 1280, "y": 720}},
                {"name": "Bar", "pos": {"x": 0, "y": 630}},
            ]}},
        ],
    });
    let import = import_text(&file.to_string()).unwrap();
    let it = &import.collection;
    let pixels = |item: &Item| {
        let place = item.place;
        let sides = [place.x * 1e3, place.y * 1e3, place.width * 1_280.0, place.height * 720.0];
        sides.map(|side| side.round())
    };
    let [logo, clip, gone, words, desk, bar] = it.scenes[0].items.as_slice() else { panic!() };
    assert_eq!(pixels(logo), [50.0, 100.0, 300.0, 200.0]);
    assert!((logo.place.crop.left - 0.25).abs() < 1e-9);
    assert_eq!(logo.show, Some(ItemTransition::default()));
    let hide = logo.hide.unwrap();
    assert_eq!((hide.kind, hide.duration.as_millis()), (ItemTransitionKind::SlideRight, 700));
    assert_eq!(pixels(clip), [0.0, 0.0, 64.0, 36.0]);
    assert_eq!(pixels(gone), [0.0, 0.0, 1_280.0, 720.0], "and told");
    let [_, _, width, height] = pixels(words);
    assert!((50.0..300.0).contains(&width) && (30.0..100.0).contains(&height), "{words:?}");
    let style = &it.sources[3].properties.text.style;
    assert_eq!((style.size, style.color.channels()), (40, [255, 0, 0, 255]));
    assert_eq!(pixels(desk), [0.0, 0.0, 1_280.0, 720.0]);
    assert_eq!(pixels(bar)[2..], [1_280.0, 90.0]);
    assert_eq!((bar.place.fit, logo.place.fit), (Fit::Stretch, Fit::Contain), "a bar, all of it");
    let [cut] = it.sources[4].filters.as_slice() else { panic!("{:?}", it.sources[4]) };
    assert_eq!(cut.filter.kind(), "crop");
    assert_eq!(
        import.left_out,
        [
            "'Desk': the crop in pixels (onair converted it to percentages of 1280×720)",
            "the scale filtering of 'Logo'",
            "the size of 'Gone' (it is unknown, so onair uses 1280×720)",
        ]
    );
    // Y4M has no audio; a file that cannot be read may have audio.
    let strips: Vec<_> =
        import.strips.iter().map(|it| (it.name.as_str(), it.choice.to_string())).collect();
    assert_eq!(strips, [("Gone", "file:/none/gone.mp4".to_owned())]);
    assert!((import.strips[0].strip.gain_db + 6.02).abs() < 0.01);
}

#[test]
fn groups_have_their_size_and_their_members_once() {
    let file = serde_json::json!({
        "scene_order": [{"name": "A"}],
        "sources": [
            {"id": "color_source", "name": "Red", "settings": {"width": 16, "height": 9}},
            {"id": "scene", "name": "A", "settings": {"items": [
                {"name": "Red", "visible": true, "group_item_backup": true},
                {"name": "Box", "visible": false, "group_item_backup": false, "align": 0,
                 "pos": {"x": 960, "y": 540}}]}},
        ],
        "groups": [{"id": "group", "name": "Box", "settings": {
            "custom_size": true, "cx": 960, "cy": 540, "items": [{"name": "Red"}]}}],
    });
    let import = import(&file);
    let [group] = &import.collection.scenes[0].items[..] else { panic!("{import:?}") };
    assert!(group.hidden && matches!(&group.content, Content::Group(all) if all.len() == 1));
    assert_eq!((group.place.x, group.place.y), (0.25, 0.25), "by the group's size");
    assert_eq!(import.left_out, Vec::<String>::new());
}

#[test]
fn devices_that_play_only_in_some_scenes_are_reported() {
    let mic = |name: &str| serde_json::json!({"id": "pulse_input_capture", "name": name});
    let scene = |name: &str, items: serde_json::Value| serde_json::json!({"id": "scene", "name": name, "settings": {"items": items}});
    let file = serde_json::json!({
        "scene_order": [{"name": "A"}, {"name": "B"}],
        "AuxAudioDevice1": mic("Always"),
        "sources": [
            mic("Everywhere"), mic("Nested"), mic("Once"), mic("Hidden"), mic("In hidden group"),
            mic("Unused"),
            scene("A", serde_json::json!([
                {"name": "Everywhere"}, {"name": "Box", "visible": false}, {"name": "Open box"},
                {"name": "In hidden group", "group_item_backup": true},
                {"name": "Hidden", "visible": false}, {"name": "Once"}])),
            scene("B", serde_json::json!([{"name": "Everywhere"}, {"name": "C"}])),
            scene("C", serde_json::json!([{"name": "Everywhere"}, {"name": "Nested"}])),
        ],
        "groups": [
            {"id": "group", "name": "Box", "settings": {"items": [{"name": "In hidden group"}]}},
            {"id": "group", "name": "Open box", "settings": {"items": [{"name": "Nested"}]}}],
    });
    let import = import(&file);
    let muted: Vec<_> = import.strips.iter().map(|it| (it.name.as_str(), it.strip.muted)).collect();
    assert_eq!(
        muted,
        [
            ("Always", false),
            ("Everywhere", false),
            ("Nested", false),
            ("Once", false),
            ("Hidden", true),
            ("In hidden group", true),
            ("Unused", true),
        ]
    );
    assert_eq!(
        import.left_out,
        [
            "the audio source 'Hidden' (no scene in OBS shows it, so onair mutes it)",
            "the audio source 'In hidden group' (no scene in OBS shows it, so onair mutes it)",
            "the audio source 'Once' (OBS plays it in 1 of 3 scenes, onair in all of them)",
            "the audio source 'Unused' (no scene in OBS shows it, so onair mutes it)",
        ]
    );
}

#[test]
fn malformed_files_are_rejected_or_bounded() {
    for bad in ["", "{", "[]", "{}", "version = 1", "{\"sources\": 1, \"scene_order\": []}"] {
        assert!(import_text(bad).is_err(), "{bad}");
    }
    let circle = r#"{"scene_order": [], "sources": [
        {"id": "scene", "name": "A", "settings": {"items": [{"name": "B"}, {"name": "A"}]}},
        {"id": "scene", "name": "B", "settings": {"items": [{"name": "A"}]}},
        {"id": "scene", "name": 7, "settings": 5}]}"#;
    let it = import_text(circle).unwrap().collection;
    assert!(!it.reaches(it.scenes[1].id, it.scenes[0].id) || it.scenes[0].items.is_empty());
    // The same with a group in between.
    let grouped = r#"{"scene_order": [], "sources": [
        {"id": "scene", "name": "A", "settings": {"items": [{"name": "G"}]}},
        {"id": "group", "name": "G", "settings": {"items": [{"name": "B"}]}},
        {"id": "scene", "name": "B", "settings": {"items": [{"name": "A"}]}}]}"#;
    let import = import_text(grouped).unwrap();
    let it = &import.collection;
    let [a, b] = it.scenes.as_slice() else { panic!("{it:?}") };
    assert!(!it.reaches(a.id, b.id) || !it.reaches(b.id, a.id), "{it:?}");
    let circle = |problem: &Problem| problem.id() == "import-circle";
    assert!(import.left_out.iter().any(circle), "{:?}", import.left_out);
    let deep = "{\"id\": \"group\", \"name\": \"G\", \"settings\": {\"items\": [{\"name\": \"G\"}, {\"name\": \"G\"}]}}";
    let file = format!(
        "{{\"scene_order\": [], \"sources\": [{deep}, {{\"id\": \"scene\", \"name\": \"A\", \"settings\": {{\"items\": [{{\"name\": \"G\"}}]}}}}]}}"
    );
    assert!(import_text(&file).unwrap().collection.item_count() < 2_000);
}

#[test]
fn a_file_of_many_items_scenes_or_sources_takes_no_minutes() {
    let problems = |file: serde_json::Value| -> Vec<String> {
        let import = import(&file);
        assert!(import.collection.item_count() <= 2_000);
        import.left_out.iter().map(|it| it.id().to_owned()).collect()
    };
    let many = |value: serde_json::Value| vec![value; 100_000];
    let scene = |item: &str| {
        let items = [serde_json::json!({"name": item})];
        serde_json::json!({"id": "scene", "name": "A", "settings": {"items": items}})
    };
    // A group that contains itself.
    let items = many(serde_json::json!({"name": "G"}));
    let group = serde_json::json!({"id": "group", "name": "G", "settings": {"items": items}});
    let file = serde_json::json!({"scene_order": [], "sources": [group, scene("G")]});
    let found = problems(file);
    assert!(found.iter().any(|it| it == "import-items-beyond"), "{found:?}");
    // More scenes than there can be.
    let named = |number: usize| serde_json::json!({"id": "scene", "name": number.to_string()});
    let scenes: Vec<_> = (0..100_000).map(named).collect();
    let order = many(serde_json::json!({"name": "elsewhere"}));
    let found = problems(serde_json::json!({"scene_order": order, "sources": scenes}));
    assert!(found.iter().any(|it| it == "import-scenes-beyond"), "{found:?}");
    // More microphones, and media that is in the file again and again.
    let mut sources = many(serde_json::json!({"id": "pulse_input_capture", "name": "Mic"}));
    let media = serde_json::json!({"id": "ffmpeg_source", "name": "M",
                                   "settings": {"is_local_file": false, "input": "rtmp://h/a/b"}});
    sources.extend(many(media));
    sources.push(scene("M"));
    let found = problems(serde_json::json!({"scene_order": [], "sources": sources}));
    assert!(found.iter().any(|it| it == "import-audio-beyond"), "{found:?}");
}
