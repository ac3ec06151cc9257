// Runs before the page of a guest: all media goes through a relay. RELAY is replaced by the ports of the relay.
const [STUDIO_PORT, RELAY_PORT] = RELAY;
const plainFetch = window.fetch.bind(window);
// The studio learns no address of this browser, and so answers only through the relay.
window.fetch = (path, options) => plainFetch(path, !options?.body ? options : {
    ...options,
    body: options.body.replace(/a=candidate:.*\r\n/g, ''),
});
window.RTCPeerConnection = class extends RTCPeerConnection {
    setRemoteDescription(description) {
        const isKept = line => !line.startsWith('a=candidate:')
            || (/ udp /i.test(line) && line.includes(` 127.0.0.1 ${STUDIO_PORT} `));
        const lines = description.sdp.split('\r\n').filter(isKept);
        const sdp = lines.join('\r\n').replaceAll(` 127.0.0.1 ${STUDIO_PORT} `, ` 127.0.0.1 ${RELAY_PORT} `);
        return super.setRemoteDescription({ type: description.type, sdp });
    }
};
