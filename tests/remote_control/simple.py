"""simpleobsws: the requests of the script in MessagePack, then batches, events and a wrong password."""

import asyncio
import sys
import time

import simpleobsws
from simpleobsws import Request, RequestBatchExecutionType as Execution

import script

# All events, and those of volume meters.
EVENTS = 0xFFF | 1 << 16


async def batches(client):
    sleep = Request("Sleep", {"sleepMillis": 200})
    version = Request("GetVersion")
    missing = Request("SetCurrentProgramScene", {"sceneName": "Missing"})
    begin = time.monotonic()
    answers = await client.call_batch([version, sleep, version])
    assert [answer.ok() for answer in answers] == [True] * 3, answers
    assert time.monotonic() - begin >= 0.2, "the batch did not sleep"
    begin = time.monotonic()
    frames = [Request("Sleep", {"sleepFrames": 6}), version]
    answers = await client.call_batch(frames, execution_type=Execution.SerialFrame)
    assert all(answer.ok() for answer in answers), answers
    assert time.monotonic() - begin >= 0.19, "the batch did not wait for frames"
    answers = await client.call_batch([version, missing, version], halt_on_failure=True)
    assert [answer.ok() for answer in answers] == [True, False], answers
    answers = await client.call_batch([version, missing, version])
    assert [answer.ok() for answer in answers] == [True, False, True], answers
    answers = await client.call_batch([version] * 50, execution_type=Execution.Parallel)
    assert len(answers) == 50 and all(answer.ok() for answer in answers), answers
    answer = await client.call(sleep)
    assert answer.requestStatus.code == 206, answer


async def main():
    url, password, wanted = script.read()
    parameters = simpleobsws.IdentificationParameters(eventSubscriptions=EVENTS)
    wrong = simpleobsws.WebSocketClient(url, password + "x", parameters)
    await wrong.connect()
    assert not await wrong.wait_until_identified(timeout=3), "a wrong password is accepted"

    client = simpleobsws.WebSocketClient(url, password, parameters)
    seen = {}

    async def on_event(name, data):
        seen.setdefault(name, data)

    client.register_event_callback(on_event)
    await client.connect()
    assert await client.wait_until_identified(timeout=30), "not identified"
    steps = script.steps(wanted)
    name, data = next(steps)
    count = 0
    while True:
        answer = await client.call(Request(name, data), timeout=60)
        status = answer.requestStatus
        count += 1
        try:
            name, data = steps.send((status.code, status.comment, answer.responseData))
        except StopIteration:
            break
    await batches(client)
    await client.call(Request("BroadcastCustomEvent", {"eventData": {"from": "simpleobsws"}}))
    names = wanted["events"] + ["InputVolumeMeters", "CustomEvent"]
    end = time.monotonic() + script.LIMIT
    while (lacking := [name for name in names if name not in seen]) and time.monotonic() < end:
        await asyncio.sleep(0.05)
    if lacking:
        sys.exit(f"events are missing: {lacking}")
    meters = seen["InputVolumeMeters"]["inputs"]
    assert any(len(it["inputLevelsMul"]) > 0 for it in meters), meters
    print(f"{count} requests, {len(seen)} kinds of events")
    await client.disconnect()


asyncio.run(main())
