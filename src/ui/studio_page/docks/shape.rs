//! Converts a layout to a tree of tiles and back, and calculates the sizes of its parts.
//! This file is long because one algorithm and the tests of its results are best read together.

use std::collections::HashMap;

use egui::{Rect, vec2};
use egui_tiles::{
    Container, Linear, LinearDir, SimplificationOptions, Tabs, Tile, TileId, Tiles, Tree,
};

use crate::studio::settings::{Node, Panel};
use crate::ui::studio_page::go_live;
use crate::ui::style::theme::{gap, size};

/// The height of a tab bar.
pub(super) const TAB_BAR_HEIGHT_POINTS: f32 = 38.0;
/// The height of the panel with *Go Live*.
const CONTROLS_HEIGHT_POINTS: f32 = go_live::BUTTONS_HEIGHT_POINTS + 2.0 * gap::M;
/// The minimum width and height of the part that takes the remaining space, in points.
const MIN_REST_SIZE_POINTS: [f32; 2] = [300.0, 160.0];
/// The minimum width to which the user can drag a part, in points. Its buttons then have room.
const MIN_PART_WIDTH_POINTS: f32 = 180.0;
/// The minimum height of a mixer below a tab bar: the bar, the strips and the space around them.
const MIN_TABBED_MIXER_HEIGHT: f32 = 146.0;
/// The initial height of the multiview.
const INITIAL_MULTIVIEW_HEIGHT_POINTS: f32 = 150.0;
/// The gap between parts.
pub(super) const PART_GAP_POINTS: f32 = 1.0;
/// The form of the tree. A layout has no tabs in tabs.
pub(super) const SIMPLIFICATION: SimplificationOptions = SimplificationOptions {
    all_panes_must_have_tabs: true,
    flatten_tabs_in_tabs: true,
    prune_empty_tabs: true,
    prune_single_child_tabs: true,
    prune_empty_containers: true,
    prune_single_child_containers: true,
    join_nested_linear_containers: true,
};

/// The requested sizes of adjacent parts, in points.
pub(super) type TileSizes = HashMap<TileId, f32>;

/// A position relative to a group of tabs.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum DockPosition {
    /// After the last tab of the group.
    Tab,
    Left,
    Right,
    Above,
    Below,
}

impl DockPosition {
    pub const ALL: [Self; 5] = [Self::Tab, Self::Left, Self::Right, Self::Above, Self::Below];

    /// Returns the position that splits a group in this direction, after or before the group.
    const fn beside(dir: LinearDir, after: bool) -> Self {
        match (dir, after) {
            (LinearDir::Horizontal, false) => Self::Left,
            (LinearDir::Horizontal, true) => Self::Right,
            (LinearDir::Vertical, false) => Self::Above,
            (LinearDir::Vertical, true) => Self::Below,
        }
    }

    /// Returns the direction of the split, and true if the position is after the group.
    const fn split(self) -> Option<(LinearDir, bool)> {
        match self {
            Self::Tab => None,
            Self::Left => Some((LinearDir::Horizontal, false)),
            Self::Right => Some((LinearDir::Horizontal, true)),
            Self::Above => Some((LinearDir::Vertical, false)),
            Self::Below => Some((LinearDir::Vertical, true)),
        }
    }
}

/// Creates the tree of a layout, and stores the sizes of its parts in `sizes`.
pub(super) fn tree(root: &Node, sizes: &mut TileSizes) -> Tree<Panel> {
    let mut tiles = Tiles::default();
    let root = plant(&mut tiles, root, sizes);
    Tree::new(egui::Id::unique("docks"), root, tiles)
}

fn plant(tiles: &mut Tiles<Panel>, node: &Node, sizes: &mut TileSizes) -> TileId {
    match node {
        Node::Panel(panel) => {
            let pane = tiles.insert_pane(*panel);
            tiles.insert_tab_tile(vec![pane])
        }
        Node::Tabs { panels, active } => {
            let panes: Vec<TileId> = panels.iter().map(|it| tiles.insert_pane(*it)).collect();
            let mut tabs = Tabs::new(panes.clone());
            if let Some(active) = panes.get(*active) {
                tabs.set_active(*active);
            }
            tiles.insert_container(tabs)
        }
        Node::Split { row, parts } => {
            let dir = if *row { LinearDir::Horizontal } else { LinearDir::Vertical };
            let mut children = Vec::new();
            for (size, part) in parts {
                let id = plant(tiles, part, sizes);
                if let Some(size) = size {
                    sizes.insert(id, f32::from(*size));
                }
                children.push(id);
            }
            tiles.insert_container(Linear::new(dir, children))
        }
    }
}

/// Reads the layout of a tree. Returns `None` if the tree is empty.
pub(super) fn read(tree: &Tree<Panel>, sizes: &TileSizes) -> Option<Node> {
    read_tile(&tree.tiles, tree.root()?, sizes)
}

fn read_tile(tiles: &Tiles<Panel>, id: TileId, sizes: &TileSizes) -> Option<Node> {
    match tiles.get(id)? {
        Tile::Pane(panel) => Some(Node::Panel(*panel)),
        Tile::Container(Container::Linear(linear)) => {
            let rest = takes_rest(tiles, &linear.children, sizes);
            let part = |child: &TileId| {
                let node = read_tile(tiles, *child, sizes)?;
                let size = sizes.get(child).map(|size| size.round().clamp(40.0, 8_000.0) as u16);
                Some((size.filter(|_| Some(*child) != rest), node))
            };
            let parts: Vec<_> = linear.children.iter().filter_map(part).collect();
            only(parts, linear.dir == LinearDir::Horizontal)
        }
        Tile::Container(container) => {
            let panels: Vec<Panel> =
                container.children().filter_map(|id| tiles.get_pane(id).copied()).collect();
            let active = match container {
                Container::Tabs(tabs) => {
                    tabs.children.iter().position(|id| tabs.active == Some(*id))
                }
                _ => None,
            };
            match panels.as_slice() {
                [] => None,
                [panel] => Some(Node::Panel(*panel)),
                _ => Some(Node::Tabs { panels, active: active.unwrap_or_default() }),
            }
        }
    }
}

/// Combines several parts into a split. A single part needs no split.
fn only(mut parts: Vec<(Option<u16>, Node)>, row: bool) -> Option<Node> {
    match parts.len() {
        0 => None,
        1 => parts.pop().map(|(_, node)| node),
        _ => Some(Node::Split { row, parts }),
    }
}

fn holds(tiles: &Tiles<Panel>, id: TileId, fits: &impl Fn(Panel) -> bool) -> bool {
    match tiles.get(id) {
        Some(Tile::Pane(panel)) => fits(*panel),
        Some(Tile::Container(container)) => {
            container.children().any(|child| holds(tiles, *child, fits))
        }
        None => false,
    }
}

/// Selects the part that takes the remaining space: the only part without a size. If several parts
/// have no size, the function selects among these, and if every part has a size, among all: the
/// part with the players, or else the part with the program, or else the first part with any panel
/// except the controls.
fn takes_rest(tiles: &Tiles<Panel>, children: &[TileId], sizes: &TileSizes) -> Option<TileId> {
    let free: Vec<TileId> =
        children.iter().copied().filter(|child| !sizes.contains_key(child)).collect();
    if let [one] = free.as_slice() {
        return Some(*one);
    }
    let among = if free.is_empty() { children } else { free.as_slice() };
    let find = |fits: &dyn Fn(Panel) -> bool| {
        among.iter().copied().find(|child| holds(tiles, *child, &|panel| fits(panel)))
    };
    find(&|panel| panel == Panel::Players)
        .or_else(|| find(&|panel| panel == Panel::Program))
        .or_else(|| find(&|panel| panel != Panel::Controls))
}

/// Returns the minimum height of a part.
fn least_height(tiles: &Tiles<Panel>, id: TileId, arranging: bool) -> f32 {
    let is_mixer = |id: &TileId| tiles.get_pane(id) == Some(&Panel::Mixer);
    match tiles.get(id) {
        Some(Tile::Container(Container::Tabs(tabs)))
            if (arranging || tabs.children.len() > 1) && tabs.children.iter().any(is_mixer) =>
        {
            MIN_TABBED_MIXER_HEIGHT
        }
        Some(Tile::Container(container)) => {
            let parts = container.children().map(|part| least_height(tiles, *part, arranging));
            parts.fold(1.0, f32::max)
        }
        _ => 1.0,
    }
}

/// Gives each part its size in `room`. Returns these sizes, and their ratio to the requested sizes.
/// While the user is `arranging` panels, a single panel also has a tab bar.
pub(super) fn fit(
    tree: &mut Tree<Panel>,
    sizes: &TileSizes,
    room: Rect,
    arranging: bool,
) -> HashMap<TileId, (f32, f32)> {
    let mut given = HashMap::new();
    if let Some(root) = tree.root() {
        fit_tile(&mut tree.tiles, root, sizes, (room, arranging), &mut given);
    }
    given
}

fn fit_tile(
    tiles: &mut Tiles<Panel>,
    id: TileId,
    sizes: &TileSizes,
    (room, arranging): (Rect, bool),
    given: &mut HashMap<TileId, (f32, f32)>,
) {
    let Some(Tile::Container(Container::Linear(linear))) = tiles.get(id) else { return };
    let (children, row) = (linear.children.clone(), linear.dir == LinearDir::Horizontal);
    let along = |rect: Rect| if row { rect.width() } else { rect.height() };
    let total = along(room) - PART_GAP_POINTS * children.len().saturating_sub(1) as f32;
    let rest = takes_rest(tiles, &children, sizes);
    let buttons = |id: TileId| !holds(tiles, id, &|panel| panel != Panel::Controls);
    let wanted = |id: TileId| match sizes.get(&id) {
        // A part that was just dropped here keeps the size at which it was drawn.
        None => tiles.rect(id).map_or(total / children.len() as f32, along),
        Some(size) => *size,
    };
    let narrow = if row && room.width() < size::NARROW_WINDOW_WIDTH { 0.87 } else { 1.0 };
    let bar = if arranging { TAB_BAR_HEIGHT_POINTS } else { 0.0 };
    let controls_height = CONTROLS_HEIGHT_POINTS + bar;
    let fixed: f32 =
        children.iter().filter(|id| !row && buttons(**id)).count() as f32 * controls_height;
    let others = children.iter().copied().filter(|id| Some(*id) != rest && (row || !buttons(*id)));
    let sum: f32 = others.map(wanted).sum::<f32>() * narrow;
    let [across, down] = MIN_REST_SIZE_POINTS;
    let least = if row { across } else { down };
    // In a small room, the other parts keep half of it.
    let most = (total - fixed - least.min(total / 2.0)).max(0.0);
    let scale = if sum > most && sum > 0.0 { narrow * most / sum } else { narrow };
    let mut shares: Vec<(TileId, f32)> = Vec::new();
    for child in &children {
        let share = match !row && buttons(*child) {
            true => controls_height,
            false if row => (wanted(*child) * scale).max(1.0),
            false => (wanted(*child) * scale).max(least_height(tiles, *child, arranging)),
        };
        shares.push((*child, share));
    }
    let used: f32 = shares.iter().filter(|(id, _)| Some(*id) != rest).map(|(_, size)| size).sum();
    for (id, share) in &mut shares {
        if Some(*id) == rest {
            *share = (total - used).max(1.0);
        } else if row || !buttons(*id) {
            given.insert(*id, (*share, scale));
        }
    }
    if let Some(Tile::Container(Container::Linear(linear))) = tiles.get_mut(id) {
        for (child, share) in &shares {
            linear.shares.set_share(*child, *share);
        }
    }
    let mut at = room.min;
    for (child, share) in shares {
        let size = if row { vec2(share, room.height()) } else { vec2(room.width(), share) };
        fit_tile(tiles, child, sizes, (Rect::from_min_size(at, size), arranging), given);
        at += if row {
            vec2(share + PART_GAP_POINTS, 0.0)
        } else {
            vec2(0.0, share + PART_GAP_POINTS)
        };
    }
}

/// Stores the sizes that the user has changed, and the sizes of new parts.
pub(super) fn learn(
    tree: &Tree<Panel>,
    given: &HashMap<TileId, (f32, f32)>,
    sizes: &mut TileSizes,
) {
    for tile in tree.tiles.tiles() {
        let Tile::Container(Container::Linear(linear)) = tile else { continue };
        let is_row = linear.dir == LinearDir::Horizontal;
        let least = if is_row { MIN_PART_WIDTH_POINTS } else { 0.0 };
        for (id, share) in linear.shares.iter() {
            let Some((before, scale)) = given.get(id) else { continue };
            if !sizes.contains_key(id) || (share - before).abs() > 0.5 {
                // In a small window, a part can already be narrower.
                sizes.insert(*id, share.max(least.min(*before)) / scale.max(0.01));
            }
        }
    }
}

/// Inserts a hidden panel into matching tabs, or below the program, or beside all other panels.
pub(super) fn put_back(tree: &mut Tree<Panel>, panel: Panel, sizes: &mut TileSizes) {
    let pane = tree.tiles.insert_pane(panel);
    if panel == Panel::Multiview && put_below_program(tree, pane, sizes) {
        return;
    }
    let close = match panel {
        Panel::Loudness => Some(Panel::Mixer),
        Panel::Danmaku => Some(Panel::Chat),
        _ => None,
    };
    let like = [
        Panel::Inspector,
        Panel::Broadcast,
        Panel::Chat,
        Panel::Share,
        Panel::Guests,
        Panel::Stats,
        Panel::EventLog,
        Panel::Loudness,
        Panel::Danmaku,
    ];
    let others = like.into_iter().filter(|_| like.contains(&panel));
    let parent = close.into_iter().chain(others).find_map(|it| {
        let known = tree.tiles.find_pane(&it).filter(|id| *id != pane)?;
        tree.tiles.parent_of(known)
    });
    if let Some(parent) = parent
        && let Some(Tile::Container(container)) = tree.tiles.get_mut(parent)
    {
        container.add_child(pane);
        return;
    }
    let Some(root) = tree.root() else {
        tree.root = Some(pane);
        return;
    };
    let children = vec![pane, root];
    tree.root = Some(tree.tiles.insert_container(Linear::new(LinearDir::Horizontal, children)));
}

/// Inserts a pane below the program, and returns true, if the tree contains the program.
fn put_below_program(tree: &mut Tree<Panel>, pane: TileId, sizes: &mut TileSizes) -> bool {
    let Some(program) = tree.tiles.find_pane(&Panel::Program) else { return false };
    let Some(group) = tree.tiles.parent_of(program) else { return false };
    let below = tree.tiles.insert_tab_tile(vec![pane]);
    put_beside(tree, below, group, (LinearDir::Vertical, true), sizes);
    sizes.insert(below, INITIAL_MULTIVIEW_HEIGHT_POINTS);
    true
}

/// Inserts a new part before or after a group of tabs, in a row or column.
fn put_beside(
    tree: &mut Tree<Panel>,
    part: TileId,
    group: TileId,
    (dir, after): (LinearDir, bool),
    sizes: &mut TileSizes,
) {
    let parent = tree.tiles.parent_of(group);
    let (split, count) = match parent.and_then(|id| tree.tiles.get_mut(id)) {
        Some(Tile::Container(Container::Linear(linear))) if linear.dir == dir => {
            let index = linear.children.iter().position(|id| *id == group).unwrap_or_default();
            linear.children.insert(index + usize::from(after), part);
            (parent, linear.children.len())
        }
        _ => {
            let children = if after { vec![group, part] } else { vec![part, group] };
            let both = tree.tiles.insert_container(Linear::new(dir, children));
            match parent.and_then(|id| tree.tiles.get_mut(id)) {
                Some(Tile::Container(around)) => {
                    let _index = around.replace_child(group, both);
                }
                _ => tree.root = Some(both),
            }
            if let Some(size) = sizes.remove(&group) {
                sizes.insert(both, size);
            }
            // The height of *Go Live* does not change, so the new part takes the remaining space.
            let is_fixed = !holds(&tree.tiles, group, &|panel| panel != Panel::Controls);
            ((!is_fixed).then_some(group), 2)
        }
    };
    sizes.remove(&part);
    if let Some(rect) = split.and_then(|id| tree.tiles.rect(id)) {
        let length = if dir == LinearDir::Horizontal { rect.width() } else { rect.height() };
        sizes.insert(part, length / count as f32);
    }
}

/// Returns the groups of tabs in reading order, each with its panels. The front panel is first.
pub(super) fn groups(tree: &Tree<Panel>) -> Vec<(TileId, Vec<Panel>)> {
    let mut groups = Vec::new();
    if let Some(root) = tree.root() {
        add_groups(&tree.tiles, root, &mut groups);
    }
    groups
}

fn add_groups(tiles: &Tiles<Panel>, id: TileId, groups: &mut Vec<(TileId, Vec<Panel>)>) {
    match tiles.get(id) {
        Some(Tile::Container(Container::Tabs(tabs))) => {
            let front = tabs.next_active(tiles);
            let others = tabs.children.iter().copied().filter(|tab| Some(*tab) != front);
            let tabs = front.into_iter().chain(others);
            groups.push((id, tabs.filter_map(|tab| tiles.get_pane(&tab).copied()).collect()));
        }
        Some(Tile::Container(container)) => {
            container.children().for_each(|child| add_groups(tiles, *child, groups));
        }
        _ => {}
    }
}

/// Moves a panel or a group of tabs to a position relative to another group.
pub(super) fn move_beside(
    tree: &mut Tree<Panel>,
    id: TileId,
    (group, position): (TileId, DockPosition),
    sizes: &mut TileSizes,
) {
    if tree.tiles.get(id).is_none() || tree.tiles.get(group).is_none() {
        return;
    }
    if let Some(split) = position.split() {
        let parent = tree.tiles.parent_of(id);
        if let Some(Tile::Container(parent)) = parent.and_then(|id| tree.tiles.get_mut(id)) {
            parent.remove_child(id);
        }
        let is_panel = tree.tiles.get_pane(&id).is_some();
        let part = if is_panel { tree.tiles.insert_tab_tile(vec![id]) } else { id };
        put_beside(tree, part, group, split, sizes);
    } else {
        tree.move_tile_to_container(id, group, usize::MAX, false);
    }
    simplify(tree, sizes);
}

/// Removes a panel.
pub(super) fn remove(tree: &mut Tree<Panel>, id: TileId, sizes: &mut TileSizes) {
    tree.remove_recursively(id);
    simplify(tree, sizes);
}

/// Brings the tree into the form of a layout. A part that is alone in its row or column takes the
/// size of that row or column, which has the other direction.
fn simplify(tree: &mut Tree<Panel>, sizes: &mut TileSizes) {
    let alone = |(id, tile): (&TileId, &Tile<Panel>)| {
        let Tile::Container(Container::Linear(linear)) = tile else { return None };
        let is_full = |child: &&TileId| holds(&tree.tiles, **child, &|_| true);
        let mut parts = linear.children.iter().filter(is_full);
        let part = parts.next().filter(|_| parts.next().is_none())?;
        Some((*id, *part))
    };
    let alone: Vec<(TileId, TileId)> = tree.tiles.iter().filter_map(alone).collect();
    for (around, part) in alone {
        match sizes.remove(&around) {
            Some(size) => sizes.insert(part, size),
            None => sizes.remove(&part),
        };
    }
    tree.simplify(&SIMPLIFICATION);
}

/// Brings the tree into the form of a layout after a drop of this tile. egui_tiles can split a group
/// inside one of its tabs. Instead, the dropped tile moves beside the group.
pub(super) fn after_drop(tree: &mut Tree<Panel>, id: TileId, sizes: &mut TileSizes) {
    let parent = tree.tiles.parent_of(id);
    let around = parent.and_then(|id| tree.tiles.parent_of(id));
    if let (Some(parent), Some(group)) = (parent, around)
        && let Some(Container::Linear(linear)) = tree.tiles.get_container(parent)
        && let Some(Container::Tabs(tabs)) = tree.tiles.get_container(group)
        && tabs.children.len() > 1
    {
        let after = linear.children.first() != Some(&id);
        let position = DockPosition::beside(linear.dir, after);
        move_beside(tree, id, (group, position), sizes);
    } else {
        simplify(tree, sizes);
    }
    separate_controls(tree, id, sizes);
}

/// Moves *Go Live* out of a group of tabs, in which another panel could hide it. A panel that was
/// dropped on *Go Live* moves above it.
fn separate_controls(tree: &mut Tree<Panel>, dropped: TileId, sizes: &mut TileSizes) {
    let Some(controls) = tree.tiles.find_pane(&Panel::Controls) else { return };
    let Some(group) = tree.tiles.parent_of(controls) else { return };
    let Some(Container::Tabs(tabs)) = tree.tiles.get_container(group) else { return };
    if tabs.children.len() < 2 {
        return;
    }
    let is_above = dropped != controls && tabs.children.contains(&dropped);
    let (part, position) = match is_above {
        true => (dropped, DockPosition::Above),
        false => (controls, DockPosition::Below),
    };
    move_beside(tree, part, (group, position), sizes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::settings::PanelLayout;

    const LAYOUT: &str = "row(* program, 304 column(* tabs(broadcast!, chat), 120 controls))";

    /// The tree of the layout, without sizes on the screen.
    struct DockTree {
        tree: Tree<Panel>,
        sizes: TileSizes,
    }

    impl DockTree {
        fn new() -> Self {
            let mut sizes = HashMap::new();
            let layout: PanelLayout = LAYOUT.parse().unwrap();
            Self { tree: tree(&layout.root, &mut sizes), sizes }
        }

        fn pane(&self, panel: Panel) -> TileId {
            self.tree.tiles.find_pane(&panel).unwrap()
        }

        fn group(&self, panel: Panel) -> TileId {
            self.tree.tiles.parent_of(self.pane(panel)).unwrap()
        }

        fn container(&mut self, id: TileId) -> &mut Container {
            match self.tree.tiles.get_mut(id).unwrap() {
                Tile::Container(container) => container,
                Tile::Pane(panel) => panic!("{panel:?}"),
            }
        }

        fn layout(&self) -> String {
            read(&self.tree, &self.sizes).unwrap().to_string()
        }
    }

    #[test]
    fn a_panel_moves_beside_a_group_or_into_its_tabs() {
        use DockPosition::{Above, Below, Left, Right, Tab};
        use Panel::{Chat, Controls, Program};
        for (panel, near, position, wanted) in [
            (Chat, Program, Left, "row(* chat, * program, 304 column(* broadcast, 120 controls))"),
            (Chat, Program, Right, "row(* program, * chat, 304 column(* broadcast, 120 controls))"),
            (
                Chat,
                Program,
                Below,
                "row(* column(* program, * chat), 304 column(* broadcast, 120 controls))",
            ),
            (
                Chat,
                Program,
                Tab,
                "row(* tabs(program, chat!), 304 column(* broadcast, 120 controls))",
            ),
            // The panel leaves its group.
            (Chat, Chat, Above, "row(* program, 304 column(* chat, * broadcast, 120 controls))"),
            (Program, Chat, Tab, "column(* tabs(broadcast, chat, program!), 120 controls)"),
            // The column has only one part left, which keeps the width of the column.
            (Controls, Program, Left, "row(* controls, * program, 304 tabs(broadcast!, chat))"),
        ] {
            let mut docked = DockTree::new();
            let (id, group) = (docked.pane(panel), docked.group(near));
            move_beside(&mut docked.tree, id, (group, position), &mut docked.sizes);
            assert_eq!(docked.layout(), wanted, "{panel:?} {position:?} {near:?}");
        }
    }

    #[test]
    fn a_group_that_is_dropped_on_a_group_keeps_its_panels() {
        let mut docked = DockTree::new();
        let (chat, program) = (docked.group(Panel::Chat), docked.group(Panel::Program));
        docked.tree.move_tile_to_container(chat, program, usize::MAX, false);
        after_drop(&mut docked.tree, chat, &mut docked.sizes);
        assert_eq!(docked.layout(), "row(* tabs(program, broadcast!, chat), 304 controls)");
    }

    #[test]
    fn a_drop_never_puts_the_controls_behind_a_tab() {
        use Panel::{Chat, Controls, Program};
        for (panel, onto, wanted) in [
            (Chat, Controls, "row(* program, 304 column(* broadcast, * chat, 120 controls))"),
            (Controls, Chat, "row(* program, 304 column(* tabs(broadcast!, chat), * controls))"),
            (Program, Controls, "column(* tabs(broadcast!, chat), * program, 120 controls)"),
        ] {
            let mut docked = DockTree::new();
            let (id, group) = (docked.pane(panel), docked.group(onto));
            docked.tree.move_tile_to_container(id, group, usize::MAX, false);
            after_drop(&mut docked.tree, id, &mut docked.sizes);
            assert_eq!(docked.layout(), wanted, "{panel:?} on {onto:?}");
        }
    }

    #[test]
    fn a_panel_that_is_dropped_on_the_edge_of_a_tab_splits_the_whole_group() {
        let mut docked = DockTree::new();
        let [program, broadcast] = [Panel::Program, Panel::Broadcast].map(|it| docked.pane(it));
        let [from, to] = [Panel::Program, Panel::Broadcast].map(|it| docked.group(it));
        // egui_tiles does this if the pointer is nearer to the panel than to its group.
        docked.container(from).remove_child(program);
        let split = Linear::new(LinearDir::Vertical, vec![broadcast, program]);
        let split = docked.tree.tiles.insert_container(split);
        assert_eq!(docked.container(to).replace_child(broadcast, split), Some(0));
        after_drop(&mut docked.tree, program, &mut docked.sizes);
        assert_eq!(docked.layout(), "column(* tabs(broadcast!, chat), * program, 120 controls)");
    }

    #[test]
    fn the_part_that_takes_the_rest_leaves_half_of_a_small_room() {
        let mut docked = DockTree::new();
        let (chat, group) = (docked.pane(Panel::Chat), docked.group(Panel::Chat));
        let beside = (group, DockPosition::Left);
        move_beside(&mut docked.tree, chat, beside, &mut docked.sizes);
        let chat = docked.group(Panel::Chat);
        docked.sizes.insert(chat, 150.0);
        let room = Rect::from_min_size(egui::Pos2::ZERO, vec2(1_600.0, 900.0));
        let given = fit(&mut docked.tree, &docked.sizes, room, false);
        assert!(given[&chat].0 > 100.0, "{given:?}");
    }

    #[test]
    fn the_controls_keep_their_height_below_a_tab_bar() {
        let mut docked = DockTree::new();
        let room = Rect::from_min_size(egui::Pos2::ZERO, vec2(1_280.0, 560.0));
        let controls = docked.group(Panel::Controls);
        let column = docked.tree.tiles.parent_of(controls).unwrap();
        let mut height = |bar: bool| {
            fit(&mut docked.tree, &docked.sizes, room, bar);
            let Container::Linear(linear) = docked.container(column) else { panic!("no column") };
            linear.shares.iter().find(|(id, _)| **id == controls).map(|(_, share)| *share).unwrap()
        };
        assert_eq!(height(true) - height(false), TAB_BAR_HEIGHT_POINTS);
    }

    #[test]
    fn a_part_cannot_be_dragged_so_narrow_that_its_buttons_are_cut_off() {
        let mut docked = DockTree::new();
        let room = Rect::from_min_size(egui::Pos2::ZERO, vec2(1_600.0, 900.0));
        let group = docked.group(Panel::Controls);
        let (column, row) =
            (docked.tree.tiles.parent_of(group).unwrap(), docked.tree.root().unwrap());
        for (drag, wanted) in [(400.0, 400.0), (60.0, MIN_PART_WIDTH_POINTS)] {
            let given = fit(&mut docked.tree, &docked.sizes, room, false);
            let Container::Linear(linear) = docked.container(row) else { panic!("no row") };
            linear.shares.set_share(column, drag);
            learn(&docked.tree, &given, &mut docked.sizes);
            assert_eq!(docked.sizes[&column], wanted);
        }
    }
}
