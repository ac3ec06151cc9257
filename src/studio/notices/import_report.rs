//! Everything that is said of what a file of scenes did not bring, in one table: so that all of it
//! has its words in each language of the window (`ui/causes.rs` looks at every line of it). A phrase says one
//! thing and stands for itself, and what differs is in it by its name.

use std::fmt::Display;

/// One of them, of one thing.
pub(in crate::studio) type Of = fn(&dyn Display) -> String;

macro_rules! sayings {
    ($($name:ident($($value:ident),*) = $words:literal;)*) => {
        $(
            #[doc = $words]
            pub(in crate::studio) fn $name($($value: &dyn Display),*) -> String {
                format_args!($words).to_string()
            }
        )*

        /// All of them, with `{…}` in the place of what differs.
        #[cfg(test)]
        pub const ALL: &[&str] = &[$($words),*];
    };
}

pub(in crate::studio) use sayings;

sayings! {
    // Of a file out of which nothing can be taken.
    too_large() = "it is far too large";
    no_collection() = "there is no scene collection in it";
    too_big_a_number() = "a number in it is too large";

    // Of the whole file.
    and_more(count) = "and {count} more";
    newer() = "what only a newer onair knows";
    hotkeys() = "the hotkeys";
    scripts() = "the scripts";
    scenes_beyond(most) = "scenes beyond {most}";
    items_beyond(most) = "items beyond {most}";
    sources_beyond(most) = "sources beyond {most}";
    audio_beyond(most) = "sounds beyond {most}";

    // Of what there is already.
    transition_stays() = "the transition of most scenes: the one that is set here stays";
    main_filters_stay() = "the filters of the main picture: those that are set here stay";
    main_fallback_stays() = "what is shown instead of the main picture: what is set here stays";
    no_room_for_source(name, most) = "the source '{name}': there are {most} already";
    no_room_for_scene(name, most) = "the scene '{name}': there are {most} already";
    no_room_for_items(count, scene, most) =
        "{count} items of the scene '{scene}': there are {most} already";
    no_room_for_audio(called, most) = "the sound {called}: there are {most} strips already";
    shows_what_did_not_come(name, scene) = "what shows '{name}' in the scene '{scene}'";
    side_chain_gone(called) = "a compressor of {called}, whose side chain is not here";

    // Of scenes, groups and items.
    circle(name) = "what of '{name}' would show '{name}' itself";
    item_of_nothing(scene) = "an item of '{scene}': its source is not there";
    item_of(scene, name) = "an item of '{scene}': '{name}', its source is not there";
    size_unknown(name, size) =
        "the size of '{name}', which is not known: it was taken for {size}";
    cut_off_group(name) = "what is cut off of '{name}'";
    blending_of(name) = "the way of blending (without sRGB) of '{name}'";
    scaling_of(name) = "the way of scaling of '{name}'";
    appears_by(name) = "the transition in which it appears of '{name}'";
    goes_by(name) = "the transition in which it goes of '{name}'";
    too_deep(name) = "the group '{name}': it lies too deep in others";
    filters_of_group(name, kinds) = "filters of the group '{name}': {kinds}";
    filters_of_scene(name, kinds) = "filters of the scene '{name}': {kinds}";

    // Of sources.
    no_scene_shows(name) = "'{name}': no scene shows it";
    not_a_source(name, why) = "'{name}' ({why})";
    a_window() = "a window: add it anew";
    of_source(name, what) = "'{name}': {what}";
    first_camera() = "its device: the first camera is shown";
    first_screen(number) = "screen number {number}: the first one is shown";
    another_speed() = "another speed";
    follows_no_file(count) = "{count} of its list: only files follow a file";
    list_beyond(most) = "of its list what is beyond {most}";
    list_shuffled() = "that its list is shuffled";
    slides_beyond(most) = "of its slides what is beyond {most}";
    slides_by(kind) = "that slides {kind}: they fade";
    slides_by_key() = "that slides wait for a key";
    nothing_after_slides() = "that nothing is shown after the last slide";
    lines() = "lines under or through it";
    second_color() = "its second colour";
    last_lines() = "only the last lines of its file";
    gradient() = "its gradient";
    downwards() = "that it is written downwards";
    capitals() = "capital letters";
    cut_of_screen(size) = "what is cut off, taken as of {size}";
    transparency() = "its transparency: only stingers have that of such a file";

    // Of filters.
    filters_of(name, kinds) = "filters of '{name}': {kinds}";
    filters_of_and_more(name, kinds, count) = "filters of '{name}': {kinds}, and {count} more";
    last_filter() = "its last filter";
    of_filter(what, filter) = "{what}, of its filter {filter}";
    bounded(number, was, is) = "the {number} ({was}, which became {is})";
    discarded() = "its deinterlacing: discard: it became linear";
    retro() = "its deinterlacing: retro: it became linear";
    doubled() = "its deinterlacing: twice as many pictures";
    deinterlacing(kind) = "its deinterlacing (of the kind {kind})";
    shape() = "the shape of its image, which is stretched over the picture";
    undistorted() = "that its middle is stretched less";
    any_color() = "its colour";
    color(color) = "its colour ({color})";
    multiplied(color) = "the colour that it multiplies by ({color})";
    added(color) = "the colour that it adds ({color})";

    // Of sounds.
    of_audio(name, what) = "the sound '{name}': {what}";
    default_device(name) = "the device of '{name}': the system's choice is heard";
    shared_strip(name, first) = "a strip of its own for '{name}', which plays what '{first}' does";
    filters_of_audio(name, kinds) = "filters of the sound '{name}': {kinds}";
    filters_of_sound_and_more(name, kinds, count) =
        "filters of the sound '{name}': {kinds}, and {count} more";

    // Of transitions.
    swipe_in(name) = "that the new picture moves in the transition '{name}'";
    transition(name, kind) = "the transition '{name}' ({kind})";
    transition_unknown(name) = "the transition '{name}', whose kind is not told: it fades";
    cut_in_frames(name, ms) =
        "the cut of '{name}' is a number of pictures: it was taken for {ms} ms";
    matte_apart(name) = "the matte of '{name}' in a file of its own";
    wipe(name, image) = "the wipe of '{name}' by {image}: it goes from left to right";
}
