"""Events, state and alarms reach a real broker, which may be away or refuse us without harm."""

import argparse
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from detector.cli import main
from detector.events.alarm_actions import Alarm
from detector.events.alarm_options import AlarmRules, AlarmSettings, read_alarm_rules
from detector.events.alarms import Alarms
from detector.events.events import event_of
from detector.events.mqtt import MqttAlarms, MqttPublisher
from detector.events.mqtt_options import (
    MqttOptions,
    add_mqtt_options,
    parse_mqtt_url,
    read_mqtt_options,
)
from detector.events.mqtt_topics import Topics, topic_part
from detector.live.command import LIVE
from maskage.classes.ready_made import MASK_AGE
from maskage.errors import EnvironmentProblemError, UsageError
from maskage.formats.bundle import ModelBundle
from tests.detector.events.mqtt_broker import PASSWORD, USER, RunningBroker, listening
from tests.detector.web.web_server import make_face, make_view, wait_until

RULES = AlarmRules(("mask=none", "nomask_old"), AlarmSettings(frozenset(), cool_down_s=30.0))
SETTINGS = RULES.for_classes(MASK_AGE)
ALARM = Alarm("nomask_old", 3, 0.93124, 12.4804, "2026-03-01T10:20:30.123+00:00", "front door")
FACES = (make_face(1, "mask_old"), make_face(2, "nomask_young"), make_face(3, is_sure=False))
RESULT = make_view(1, FACES).result
DOOR = "house/cam/front_door"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RunningBroker]:
    running = RunningBroker(tmp_path)
    yield running
    running.stop()


def options_for(port: int, password: str = PASSWORD) -> MqttOptions:
    return parse_mqtt_url(f"mqtt://{USER}@127.0.0.1:{port}/house/cam", password)


def test_events_state_and_discovery_are_published(broker: RunningBroker) -> None:
    with listening(broker.port) as heard:
        with MqttPublisher(options_for(broker.port), MASK_AGE, SETTINGS) as mqtt:
            wait_until(lambda: mqtt.is_connected, 30)
            mqtt.update(RESULT, "front door")
            wait_until(lambda: heard.last(f"{DOOR}/state") is not None, 30)
            wait_until(lambda: heard.last(f"{DOOR}/event") is not None, 30)
            assert heard.last("house/cam/status") == "online"
            assert heard.last(f"{DOOR}/availability") == "online"
            state = heard.last_json(f"{DOOR}/state")
            assert (state["total"], state["unsure"]) == (3, 1)
            assert state["counts"]["nomask_young"] == 1
            assert state["in_class_order"] == [1, 0, 0, 1]
            event = heard.last_json(f"{DOOR}/event")
            assert event == {"source": "front door", **json.loads(json.dumps(event_of(RESULT)))}
        wait_until(lambda: heard.last("house/cam/status") == "offline", 30)
        assert heard.last(f"{DOOR}/availability") == "offline"
    # What is retained is there for who comes later.
    with listening(broker.port) as later:
        wait_until(lambda: later.last(f"{DOOR}/state") is not None, 30)
        wait_until(lambda: len([t for t in later.topics() if t.endswith("/config")]) == 8, 30)
        assert all(is_retained for _, _, is_retained in later.messages)
        assert f"{DOOR}/event" not in later.topics()


def test_a_camera_that_has_given_no_picture_is_known_and_away(broker: RunningBroker) -> None:
    with listening(broker.port) as heard, MqttPublisher(options_for(broker.port), MASK_AGE) as mqtt:
        mqtt.announce("front door")
        wait_until(lambda: heard.last(f"{DOOR}/availability") == "offline", 30)
        assert "homeassistant/binary_sensor/house_cam_front_door/camera/config" in heard.topics()
        assert heard.last(f"{DOOR}/state") is None
        mqtt.update(RESULT, "front door")
        wait_until(lambda: heard.last(f"{DOOR}/availability") == "online", 30)


def test_home_assistant_is_told_where_each_figure_lies() -> None:
    topics = Topics("house/cam", MASK_AGE, SETTINGS)
    topics.of("front door")
    found = {each.topic: json.loads(each.text) for each in topics.discovery_messages("front door")}
    sensor = found["homeassistant/sensor/house_cam_front_door/mask_young/config"]
    assert sensor["state_topic"] == f"{DOOR}/state"
    assert sensor["value_template"] == "{{ value_json.in_class_order[1] }}"
    assert sensor["availability"] == [
        {"topic": "house/cam/status"},
        {"topic": f"{DOOR}/availability"},
    ]
    assert sensor["device"]["identifiers"] == ["house_cam_front_door"]
    alarm = found["homeassistant/binary_sensor/house_cam_front_door/alarm_mask_none/config"]
    assert (alarm["state_topic"], alarm["off_delay"]) == (f"{DOOR}/alarm/mask_none", 30)
    camera = found["homeassistant/binary_sensor/house_cam_front_door/camera/config"]
    assert camera["payload_on"] == "online"
    assert len({each["unique_id"] for each in found.values()}) == len(found)
    # The second pattern gave no label of its own: it can raise nothing.
    assert not any("alarm_nomask_old" in topic for topic in found)


def test_an_alarm_reaches_the_broker_and_is_counted_by_its_rule(broker: RunningBroker) -> None:
    faces = (make_face(1, "nomask_old"),)
    with (
        listening(broker.port) as heard,
        MqttPublisher(options_for(broker.port), MASK_AGE, SETTINGS) as mqtt,
        Alarms(SETTINGS, "front door", more_actions=[mqtt.alarms]) as alarms,
    ):
        for number in range(0, 30, 5):
            alarms.update(make_view(number, faces).result)
        wait_until(lambda: heard.last(f"{DOOR}/alarm/mask_none") == "ON", 30)
        wait_until(lambda: alarms.summary.done == 1, 30)
        raised = heard.last_json(f"{DOOR}/alarm")
        assert (raised["label"], raised["source"]) == ("nomask_old", "front door")
        assert alarms.counts.raised == {("mask=none", "front door"): 1}
        name = f"--mqtt mqtt://127.0.0.1:{broker.port}/house/cam"
        assert alarms.counts.ended == {("mask=none", name, "done"): 1}


def test_a_broker_that_goes_and_comes_is_reported_once_each(tmp_path: Path) -> None:
    said: list[str] = []
    broker = RunningBroker(tmp_path)
    port = broker.port
    broker.stop()
    with MqttPublisher(options_for(port), MASK_AGE, SETTINGS, said.append) as mqtt:
        wait_until(lambda: len(said) == 1, 30)
        assert "Connection refused" in said[0]
        assert "tried again" in said[0]
        # The loop goes on: nothing here waits for the broker.
        mqtt.update(RESULT, "front door")
        broker = RunningBroker(tmp_path, port)
        wait_until(lambda: mqtt.is_connected, 60)
        with listening(port) as heard:
            wait_until(lambda: heard.last(f"{DOOR}/state") is not None, 30)
        broker.stop()
        wait_until(lambda: len(said) == 3, 60)
        assert "is back" in said[1]
        assert "takes no messages" in said[2]
        broker = RunningBroker(tmp_path, port)
        wait_until(lambda: len(said) == 4, 60)
        with listening(port) as heard:
            wait_until(lambda: heard.last("house/cam/status") == "online", 30)
    broker.stop()
    assert len(said) == 4


def test_an_alarm_of_a_broker_that_stays_away_fails_and_ends_when_told(tmp_path: Path) -> None:
    broker = RunningBroker(tmp_path)
    port = broker.port
    broker.stop()
    with MqttPublisher(options_for(port), MASK_AGE, SETTINGS, lambda words: None) as mqtt:
        short = MqttAlarms(mqtt, SETTINGS, timeout_s=0.2)
        with pytest.raises(EnvironmentProblemError, match="is away"):
            short.carry_out(ALARM)
        mqtt.alarms.stop()
        with pytest.raises(EnvironmentProblemError, match="is away"):
            mqtt.alarms.carry_out(ALARM)


def test_an_alarm_of_the_moment_in_which_the_connection_is_lost_arrives_later(
    tmp_path: Path,
) -> None:
    broker = RunningBroker(tmp_path)
    port = broker.port
    broker.stop()
    with (
        MqttPublisher(options_for(port), MASK_AGE, SETTINGS, lambda words: None) as mqtt,
        Alarms(SETTINGS, "front door", more_actions=[mqtt.alarms]) as alarms,
    ):
        # It has gone, and nobody has noticed.
        mqtt._connected.set()
        faces = (make_face(1, "nomask_old"),)
        for number in range(0, 30, 5):
            alarms.update(make_view(number, faces).result)
        wait_until(lambda: bool(mqtt._client._out_messages), 30)
        broker = RunningBroker(tmp_path, port)
        wait_until(lambda: alarms.summary.done == 1, 60)
    broker.stop()


def test_a_wrong_password_is_reported_with_what_to_do_and_never_shown(
    broker: RunningBroker,
) -> None:
    said: list[str] = []
    wrong = "not the right one"
    with MqttPublisher(options_for(broker.port, wrong), MASK_AGE, None, said.append) as mqtt:
        wait_until(lambda: bool(said), 30)
        assert "--mqtt-password-file" in said[0]
        assert not mqtt.is_connected
        assert wrong not in said[0] + repr(mqtt.__dict__) + repr(options_for(1, wrong))


def test_a_program_that_is_killed_is_offline(broker: RunningBroker, tmp_path: Path) -> None:
    code = textwrap.dedent(
        f"""
        import time
        from detector.events.mqtt import MqttPublisher
        from detector.events.mqtt_options import parse_mqtt_url
        from maskage.classes.ready_made import MASK_AGE
        options = parse_mqtt_url("mqtt://{USER}@127.0.0.1:{broker.port}/house/cam", {PASSWORD!r})
        mqtt = MqttPublisher(options, MASK_AGE)
        time.sleep(120)
        """
    )
    with listening(broker.port) as heard:
        process = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[3])
        try:
            wait_until(lambda: heard.last("house/cam/status") == "online", 60)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        wait_until(lambda: heard.last("house/cam/status") == "offline", 60)


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_mqtt_options(parser)
    return parser.parse_args(words)


def test_the_password_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("from a file\nmore\n")
    given = parse("--mqtt", "mqtts://me@host", "--mqtt-password-file", str(file))
    found = read_mqtt_options(given, {})
    assert found == MqttOptions("host", 8883, True, "me", "from a file", "maskage")
    variables = {"DETECTOR_MQTT_PASSWORD": "from there"}
    found = read_mqtt_options(parse("--mqtt", "mqtt://me@host/a/b/"), variables)
    assert found == MqttOptions("host", 1883, False, "me", "from there", "a/b")
    assert read_mqtt_options(parse(), variables) is None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://host/", "mqtt:// or mqtts://"),
        ("mqtt://me:secret@host/", "--mqtt-password-file"),
        ("mqtt://", "cannot be read"),
        ("mqtt://host:99999/", "cannot be read"),
        ("mqtt://host:0/", "no port 0"),
        ("mqtt://host/a?b", "no '\\?'"),
        ("mqtt://host/a+b", "cannot begin a topic"),
        ("mqtt://host/$SYS", "cannot begin a topic"),
        ("mqtt://host/a%23b", "cannot begin a topic"),
    ],
)
def test_an_address_that_is_not_usable_is_refused(url: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as refusal:
        parse_mqtt_url(url)
    assert "secret" not in str(refusal.value)


def test_a_password_without_a_user_or_a_file_without_a_broker_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="names no user"):
        parse_mqtt_url("mqtt://host", "secret")
    with pytest.raises(UsageError, match="is for --mqtt"):
        read_mqtt_options(parse("--mqtt-password-file", "x"), {})
    with pytest.raises(UsageError, match="cannot be read"):
        read_mqtt_options(
            parse("--mqtt", "mqtt://me@host", "--mqtt-password-file", str(tmp_path / "none")), {}
        )


def test_an_alarm_needs_no_other_action_where_there_is_a_broker() -> None:
    parser = LIVE.make_parser("detector live")
    rules = read_alarm_rules(parser.parse_args(["--on", "mask_*", "--mqtt", "mqtt://host"]))
    assert rules is not None
    with pytest.raises(UsageError, match="not what it does"):
        read_alarm_rules(parser.parse_args(["--on", "mask_*"]))


def test_without_the_extra_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paho.mqtt.client", None)
    with pytest.raises(EnvironmentProblemError, match=r"\[mqtt\]"):
        MqttPublisher(options_for(1), MASK_AGE)


@pytest.mark.parametrize(
    ("name", "taken", "part"),
    [
        ("Front door #1", (), "front_door_1"),
        ("front/door+1", ("front_door_1",), "front_door_1_2"),
        ("戸", (), "x"),
        ("戸", ("x", "x_2"), "x_3"),
    ],
)
def test_names_become_parts_of_topics(name: str, taken: tuple[str, ...], part: str) -> None:
    assert topic_part(name, taken) == part


def test_two_cameras_whose_names_look_alike_keep_their_own_topics() -> None:
    topics: Any = Topics("p", MASK_AGE, None)
    assert [topics.of(name, "state") for name in ("a b", "a-b", "a b")] == [
        "p/a_b/state",
        "p/a_b_2/state",
        "p/a_b/state",
    ]


def test_a_live_view_publishes_its_camera_and_its_alarms(
    broker: RunningBroker, bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DETECTOR_MQTT_PASSWORD", PASSWORD)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    place = f"mqtt://{USER}@127.0.0.1:{broker.port}/house"
    words = ["live", "--headless", "--source", "demo", "--frames", "40", "--mqtt", place]
    words += ["--on", "*", "--on-for", "0", "--threshold", "0", "--model", str(bundle.folder)]
    with listening(broker.port) as heard:
        assert main(words) == 0
        wait_until(lambda: heard.texts("house/status")[-1:] == ["offline"], 30)
        assert heard.last_json("house/demo_camera/state")["total"] >= 1
        assert heard.last_json("house/demo_camera/alarm")["source"] == "demo camera"
