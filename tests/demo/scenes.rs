//! The scenes and sources of the states.

use super::*;

/// A scene with a guest in front of a display capture and the main source, with every kind of
/// filter.
pub(super) fn filtered() -> Collection {
    let slot = |filter| video::Slot { enabled: true, filter };
    let scene = Collection::default().current;
    let all = video::Filter::kinds().into_iter().map(slot).collect();
    let key = video::Filter::of_kind("chroma-key").map(slot).into_iter().collect();
    let mut collection = Collection::default();
    for edit in [
        Edit::AddSource { scene, name: "Guest".into(), choice: VideoChoice::Test },
        Edit::SetFilters(SourceId(0), all),
        Edit::SetFilters(SourceId(1), key),
    ] {
        assert!(collection.apply(&edit));
    }
    collection
}

/// A scene with a display capture, slides, and a text with every kind of text style.
pub(super) fn styled() -> Collection {
    let scene = Collection::default().current;
    let mut collection = Collection::default();
    for (name, choice) in [
        ("Desk", "screen:HDMI-1@1280x720+64+40"),
        ("Album", "slides:/album"),
        ("Title", "text:Hello"),
    ] {
        let choice: VideoChoice = choice.parse().unwrap();
        assert!(collection.apply(&Edit::AddSource { scene, name: name.into(), choice }));
    }
    let mut properties = Properties::default();
    let black = Rgba::BLACK;
    let style = &mut properties.text.style;
    style.outline = Some((black, 4));
    style.shadow = Some(Shadow { color: black, right: 4, down: 4, blur: 4 });
    style.background = Some(Rgba::WHITE);
    properties.text.width = Some(800);
    properties.text.scroll = Some(Scroll { direction: ScrollDirection::Up, speed: 60 });
    assert!(collection.apply(&Edit::SetProperties(SourceId(3), properties)));
    collection
}

/// Three scenes of a show. The second one has a text.
pub(super) fn workshop() -> Collection {
    let mut collection = Collection::default();
    let first = collection.current;
    for edit in [
        Edit::RenameScene(first, "Workshop".into()),
        Edit::AddScene("Screen and camera".into()),
        Edit::AddScene("Be right back".into()),
    ] {
        assert!(collection.apply(&edit));
    }
    let scene = collection.scenes[1].id;
    let choice: VideoChoice = "text:Workshop live".parse().unwrap();
    assert!(collection.apply(&Edit::AddSource { scene, name: "Lower third".into(), choice }));
    collection
}

/// Three scenes of a show. The first one has a camera and a banner above it.
pub(super) fn built() -> Collection {
    let mut collection = Collection::default();
    let scene = collection.current;
    let choice: VideoChoice = "image:/home/ada/banner.png".parse().unwrap();
    let [x, y, width, height] = BANNER.map(|pixels| pixels as f64);
    let (x, width) = (x / 1_280.0, width / 1_280.0);
    let (y, height) = (y / 720.0, height / 720.0);
    let place = Placement { x, y, width, height, ..Placement::default() };
    for edit in [
        Edit::RenameScene(scene, "Talk".into()),
        Edit::RenameItem(ItemId(1), "Camera".into()),
        Edit::AddSource { scene, name: "Banner".into(), choice },
        Edit::SetPlace(ItemId(2), place),
        Edit::AddScene("Screen and camera".into()),
        Edit::AddScene("Be right back".into()),
    ] {
        assert!(collection.apply(&edit));
    }
    collection
}

/// The banner in the scene that [`built`] returns.
pub(super) fn banner_source() -> SceneSource {
    let [_, _, width, height] = BANNER.map(|pixels| pixels as u32);
    let (name, size) = ("banner.png".into(), Some(Size::new(width, height)));
    let (frame_size, device) = (size, String::new());
    SceneSource { id: SourceId(1), name, size, frame_size, device, ..camera_source() }
}

/// A scene with a video file and slides that play, side by side.
pub(super) fn played() -> Collection {
    let scene = Collection::default().current;
    let mut collection = Collection::default();
    for (name, choice) in [("Album", "slides:/album"), ("Opening", "file:/opening.mp4")] {
        let choice: VideoChoice = choice.parse().unwrap();
        assert!(collection.apply(&Edit::AddSource { scene, name: name.into(), choice }));
    }
    for (id, x) in [(2, 0.05), (3, 0.55)] {
        let place = Placement { x, y: 0.3, width: 0.4, height: 0.4, ..Placement::default() };
        assert!(collection.apply(&Edit::SetPlace(ItemId(id), place)));
    }
    collection
}

pub(super) fn playing_sources() -> Vec<SceneSource> {
    let source = |id, name: &str, playing| SceneSource {
        id: SourceId(id),
        state: SourceState::Open,
        name: name.into(),
        size: Some(Size::new(1280, 720)),
        frame_size: Some(Size::new(1280, 720)),
        reason: onair::text::Problem::default(),
        playing: Some(playing),
        left_out: std::sync::Arc::default(),
        filter_problems: Vec::new(),
        device: String::new(),
    };
    let slides = Position { item: Some((2, 12)), ..Position::default() };
    let seconds = Duration::from_secs;
    let clip = Position { at: seconds(42), whole: Some(seconds(185)), ..Position::default() };
    vec![source(1, "album", slides), source(2, "opening.mp4", clip)]
}

/// The main source: a camera.
pub(super) fn camera_source() -> SceneSource {
    SceneSource {
        id: SourceId(0),
        state: SourceState::Open,
        name: "HD Pro Webcam C920".into(),
        size: Some(Size::new(1280, 720)),
        frame_size: Some(Size::new(1280, 720)),
        reason: onair::text::Problem::default(),
        playing: None,
        left_out: std::sync::Arc::default(),
        filter_problems: Vec::new(),
        device: "c920".into(),
    }
}

/// The formats that the camera offers.
pub(super) fn camera_formats() -> Vec<CameraFormat> {
    let format = |width, height, fps, pixel| {
        let size = Size::new(width, height);
        CameraFormat { size, fps, pixel }
    };
    vec![
        format(640, 480, 30.0, "YUYV"),
        format(1280, 720, 10.0, "YUYV"),
        format(1280, 720, 30_000.0 / 1_001.0, "MJPEG"),
        format(1920, 1080, 30.0, "MJPEG"),
    ]
}

/// The camera controls that the driver offers.
pub(super) fn camera_controls() -> Vec<CameraControl> {
    let control = |title: &str, span, default, value, active| CameraControl {
        name: plain(title),
        title: title.into(),
        span,
        default,
        value,
        active,
    };
    let number = |least, most, step| Span::Number { least, most, step };
    let menu = |items: &[(i64, &str)]| {
        Span::Menu(items.iter().map(|(value, name)| (*value, (*name).to_owned())).collect())
    };
    let mains = menu(&[(0, "Disabled"), (1, "50 Hz"), (2, "60 Hz")]);
    let auto = menu(&[(1, "Manual Mode"), (3, "Aperture Priority Mode")]);
    vec![
        control("Brightness", number(0, 255, 1), 128, 128, true),
        control("White Balance Temperature, Auto", Span::Switch, 1, 1, true),
        control("White Balance Temperature", number(2_000, 6_500, 1), 4_000, 4_720, false),
        control("Gain", number(0, 255, 1), 0, 64, true),
        control("Power Line Frequency", mains, 2, 1, true),
        control("Exposure, Auto", auto, 3, 1, true),
        control("Exposure (Absolute)", number(3, 2_047, 1), 250, 156, true),
        control("Focus (absolute)", number(0, 250, 5), 0, 0, true),
    ]
}
