// Runs before the page of a guest: the studio can be made to ask for less video, and the connections are kept.
window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...all) {
        super(...all);
        window.connections.push(this);
    }
};
const plainFetch = window.fetch.bind(window);
window.fetch = async (path, options) => {
    const answer = await plainFetch(path, options);
    if (!window.asksForLess || !String(path).endsWith('/state') || !answer.ok) return answer;
    const state = { ...await answer.json(), video_height: 180, video_fps: 15, video_bitrate: 200_000 };
    return new Response(JSON.stringify(state), { status: 200 });
};
// Returns the height of the video that the guest sends.
window.sentHeight = async () => {
    for (const connection of window.connections) {
        for (const entry of (await connection.getStats()).values()) {
            if (entry.type === 'outbound-rtp' && entry.kind === 'video') return entry.frameHeight ?? 0;
        }
    }
    return 0;
};
