// Runs before the page of a guest: the tones of the tests must not be taken for noise or echo.
if (navigator.mediaDevices) {
    const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = wanted => {
        const plain = { noiseSuppression: false, echoCancellation: false, autoGainControl: false };
        return real({ ...wanted, audio: wanted.audio && { ...wanted.audio, ...plain } });
    };
}

// Returns the levels of these frequencies, in dB, in what the guest hears.
window.heard = async frequencies => {
    const stream = document.getElementById('others').srcObject;
    if (!stream) return null;
    window.ears ??= (() => {
        const context = new AudioContext();
        const analyser = context.createAnalyser();
        analyser.fftSize = 8192;
        analyser.smoothingTimeConstant = 0.5;
        context.createMediaStreamSource(stream).connect(analyser);
        return { context, analyser };
    })();
    const { context, analyser } = window.ears;
    await context.resume();
    const levels = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(levels);
    return frequencies.map(frequency => {
        const bin = Math.round(frequency * analyser.fftSize / context.sampleRate);
        return Math.max(...levels.slice(bin - 1, bin + 2), -200);
    });
};
