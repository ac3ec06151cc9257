//! Everything that is said of what is bad in a collection of scenes and its strips, in one table as
//! `not_taken`: a file that is imported may have been written by hand, and what is left out of it is told in
//! the window's language.

use std::fmt::Display;

use crate::studio::notices::import_report::sayings;

sayings! {
    // What a value is not.
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
    the_settings() = "the settings";
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
    no_path() = "it is no path";

    // Of filters.
    of_filter(name, kind, why) = "'{name}' of a filter of the kind {kind}: {why}";

    // Of strips.
    strips_beyond(most) = "of more than {most} strips the rest is left out";
    left_out(why) = "{why}; the strip is left out";
    the_rest(most) = "of more than {most} the rest is left out";
    no_such_filter(kind) = "there is no filter of the kind '{kind}'";
    no_such_strip(number) = "there is no strip {number}";
    no_such_value(kind) = "a filter of the kind {kind} has no such";
}
