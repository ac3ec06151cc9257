//! Everything that is said of what is bad in a collection of scenes and its strips, in one table as
//! `not_taken`: a file that is imported may have been written by hand, and what is left out of it is told in
//! the window's language.

use std::fmt::Display;

use crate::studio::notices::import_report::sayings;

sayings! {
    // What a value is not.
    is_no_text() = "is not a text";
    is_no_flag() = "is neither true nor false";
    is_no_list() = "is not a list";
    is_not_from(low, high) = "is not a number from {low} to {high}";
    is_no_word(word) = "is not known: '{word}'";
    it_is_no_text() = "it is not a text";
    it_is_no_flag() = "it is neither true nor false";
    it_is_no_list() = "it is not a list";
    it_is_no_number() = "it is not a number";
    it_is_no_table() = "it is not a table";
    it_is_not_known() = "it is not known";
    it_is_not_from(low, high) = "it is not from {low} to {high}";

    // Of all of it.
    more_things(count, what) = "{count} more things in {what} are not as they should be";
    the_scenes() = "the scenes";
    the_strips() = "the strips";
    the_sources() = "the sources";
    the_items() = "the items of a scene";
    no_list(what) = "{what} are not a list";
    beyond(most, what) = "of more than {most} of {what} the rest is left out";
    in_scenes(key, fault) = "in the scenes '{key}' {fault}";
    unknown(key, place) = "'{key}' in {place} is not known here";
    unknown_but(key, place, other) = "'{key}' in {place} is not known here; '{other}' is";
    the_settings() = "the settings";
    the_collection() = "the collection";
    the_source(name) = "the source '{name}'";
    the_scene(name) = "the scene '{name}'";
    item_of(name) = "an item of the scene '{name}'";
    called_twice(name, other) = "the name '{name}' is there twice: the second is called '{other}'";
    no_current(name, other) = "the scene '{name}', with which to begin, is not there: '{other}' is taken";

    // Of scenes and items.
    shows_itself(name) = "the scene '{name}' shows itself: that is left out";
    items_beyond(most, count) = "of more than {most} items {count} are left out";
    shows_neither() = "an item shows neither a source nor a scene";
    source_gone(name) = "an item shows the source '{name}', which is not there";
    scene_gone(name) = "an item shows the scene '{name}', which is not there";
    too_deep(most) = "groups deeper than {most} are left out";
    crop() = "a crop is not four parts of 1: [left, top, right, bottom]";
    transition(word) = "the transition '{word}' is not known";
    matte(word) = "the matte '{word}' is not known";

    // Of sources.
    shows_nothing(name, why) = "the source '{name}' shows nothing: {why}";
    of_source(key, name, why) = "'{key}' of the source '{name}': {why}";
    part_of_source(key, part, name) =
        "'{key}' in '{part}' of the source '{name}' is not as it should be";
    files_beyond(most, name) = "of more than {most} files of '{name}' the rest is left out";
    no_path(name) = "in 'files' of the source '{name}' something is no path";

    // Of their filters.
    filters_no_list() = "the filters of a source are not a list";
    filters_beyond(most) = "of more than {most} filters of a source the rest is left out";
    filter_unknown(kind) = "a filter of the kind '{kind}', which onair does not know";
    of_filter(name, kind) = "'{name}' of a filter of the kind {kind} is not as it should be";

    // Of strips.
    strip_itself() = "the strip";
    of_strip(key, strip, why) = "'{key}' of {strip}: {why}";
    strips_beyond(most) = "of more than {most} strips the rest is left out";
    left_out(why) = "{why}; the strip is left out";
    the_rest(most) = "of more than {most} the rest is left out";
    no_such_filter(kind) = "there is no filter of the kind '{kind}'";
    of_its_filter(kind, why) = "of its {kind}: {why}";
    no_such_strip(number) = "there is no strip {number}";
    no_such_value(kind) = "a filter of the kind {kind} has no such";
}
