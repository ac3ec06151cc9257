//! Tests of scenes and of their plans.

use super::*;

fn item(id: u32, content: Content) -> Item {
    Item::new(ItemId(id), content)
}

#[test]
fn groups_and_scenes_are_flattened_in_order() {
    let inner = Scene {
        id: SceneId(2),
        items: vec![item(5, Content::Source(SourceId(50)))],
        ..Scene::default()
    };
    let mut group = item(
        2,
        Content::Group(vec![
            item(3, Content::Source(SourceId(30))),
            item(4, Content::Scene(SceneId(2))),
        ]),
    );
    group.opacity = 0.5;
    let mut hidden = item(6, Content::Source(SourceId(60)));
    hidden.hidden = true;
    let items = vec![item(1, Content::Source(SourceId(10))), group, hidden];
    let scene = Scene { id: SceneId(1), items, ..Scene::default() };
    let plan = Plan::of(&scene, &[scene.clone(), inner]);
    let seen: Vec<_> = plan
        .layers
        .iter()
        .map(|layer| (layer.source.0, layer.places.len(), layer.framed, layer.opacity))
        .collect();
    assert_eq!(seen, [(10, 1, 0, 1.0), (30, 2, 0, 1.0), (50, 3, 0b10, 1.0)]);
    let [group] = plan.together.as_slice() else { panic!("{:?}", plan.together) };
    assert_eq!((group.layers.clone(), group.opacity), (1..3, 0.5));
    let keys: std::collections::BTreeSet<_> = plan.layers.iter().map(|it| it.key).collect();
    assert_eq!(keys.len(), 3);
}

#[test]
fn only_groups_that_look_otherwise_are_drawn_as_one() {
    let source = |id| item(id, Content::Source(SourceId(id)));
    let group =
        |id, opacity, blend, members| Item { opacity, blend, ..item(id, Content::Group(members)) };
    let plan = |items| {
        let scene = Scene { id: SceneId(1), items, ..Scene::default() };
        Plan::of(&scene, &[])
    };
    let plain = plan(vec![group(1, 1.0, Blend::Normal, vec![source(2), source(3)])]);
    assert!(plain.together.is_empty() && plain.layers.len() == 2);
    let alone = plan(vec![group(1, 0.5, Blend::Screen, vec![source(2)])]);
    assert!(alone.together.is_empty());
    assert_eq!((alone.layers[0].opacity, alone.layers[0].blend), (0.5, Blend::Screen));
    let empty = plan(vec![group(1, 0.5, Blend::Normal, Vec::new()), source(2)]);
    assert!(empty.together.is_empty() && empty.layers.len() == 1);
    let inner = group(4, 0.5, Blend::Normal, vec![source(5), source(6)]);
    let outer = group(1, 1.0, Blend::Add, vec![inner, source(2)]);
    let nested = plan(vec![source(9), outer]);
    let ranges: Vec<_> = nested.together.iter().map(|it| it.layers.clone()).collect();
    assert_eq!(ranges, [1..4, 1..3]);
}

#[test]
fn a_scene_within_itself_and_too_many_layers_are_left_out() {
    let own = item(1, Content::Scene(SceneId(1)));
    let mut items = vec![own, item(2, Content::Source(SourceId(1)))];
    let scene = Scene { id: SceneId(1), items: items.clone(), ..Scene::default() };
    assert_eq!(Plan::of(&scene, std::slice::from_ref(&scene)).layers.len(), 1);
    items.extend((3..10_003).map(|id| item(id, Content::Source(SourceId(1)))));
    let scene = Scene { id: SceneId(1), items, ..Scene::default() };
    let plan = Plan::of(&scene, &[]);
    assert_eq!((plan.layers.len(), plan.more), (MAX_LAYERS, true));
    // Invisible items do not count; members of groups count one by one.
    let source = |id| item(id, Content::Source(SourceId(1)));
    let mut items: Vec<Item> = (1..=255).map(source).collect();
    items.push(item(300, Content::Group(vec![source(301)])));
    items.push(item(302, Content::Group(Vec::new())));
    items.push(Item { hidden: true, ..source(303) });
    let mut scene = Scene { id: SceneId(1), items, ..Scene::default() };
    let plan = Plan::of(&scene, &[]);
    assert_eq!((plan.layers.len(), plan.more), (MAX_LAYERS, false));
    scene.items[256] = item(302, Content::Group(vec![source(304)]));
    assert!(Plan::of(&scene, &[]).more);
    let mut deep = item(1, Content::Source(SourceId(1)));
    for id in 2..40 {
        deep = item(id, Content::Group(vec![deep]));
    }
    let scene = Scene { id: SceneId(1), items: vec![deep], ..Scene::default() };
    assert!(Plan::of(&scene, &[]).layers.is_empty());
}

#[test]
fn numbers_that_are_none_become_defaults() {
    let place = Placement {
        x: f64::NAN,
        width: 1e9,
        height: -3.0,
        rotation: -90.0,
        ..Placement::default()
    };
    let place = place.bounded();
    assert_eq!((place.x, place.width, place.height), (0.0, Placement::MAX_EXTENT, 0.001));
    assert!((place.rotation - 270.0).abs() < 1e-9);
    let crop = Crop { left: 0.7, right: 0.7, top: f64::INFINITY, bottom: -1.0 }.bounded();
    assert!(crop.left + crop.right <= 0.99 && crop.top == 0.0 && crop.bottom == 0.0);
}
