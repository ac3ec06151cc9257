# Reads a playlist or manifest with parsers that are not ours, and writes what they found as JSON.
import json
import sys

text = sys.stdin.read()


def track(it):
    template = it.segment_templates[0]
    return {
        'type': it.content_type,
        'codecs': [representation.codecs for representation in it.representations],
        'media': template.media,
        'initialization': template.initialization,
        'first': template.start_number,
        'scale': template.timescale,
        'times': [segment.t for segment in template.segment_timelines[0].Ss],
        'lengths': [segment.d for segment in template.segment_timelines[0].Ss],
    }


def segment(it):
    return {
        'uri': it.uri,
        'seconds': it.duration,
        'discontinuity': it.discontinuity,
        'time': it.program_date_time and it.program_date_time.timestamp(),
        'map': it.init_section and it.init_section.uri,
        'parts': [part.uri for part in it.parts],
    }


if text.startswith('<?xml'):
    from mpegdash.parser import MPEGDASHParser

    mpd = MPEGDASHParser.parse(text)
    periods = [{'id': it.id, 'tracks': [track(one) for one in it.adaptation_sets]} for it in mpd.periods]
    print(json.dumps({'type': mpd.type, 'periods': periods}))
else:
    import m3u8

    # This also checks that the version of the playlist has each of its tags.
    m3u8.parser.parse(text, strict=True)
    it = m3u8.loads(text)
    print(json.dumps({
        'version': it.version,
        'variants': [{'uri': one.uri, 'codecs': one.stream_info.codecs} for one in it.playlists],
        'target': it.target_duration,
        'sequence': it.media_sequence,
        'ended': it.is_endlist,
        'type': it.playlist_type,
        'segments': [segment(one) for one in it.segments],
        'hint': it.preload_hint and it.preload_hint.uri,
        'skipped': it.skip and it.skip.skipped_segments,
        'blocks': it.server_control and it.server_control.can_block_reload,
    }))
