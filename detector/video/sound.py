"""The sound of a video, brought over into another video beside its pictures.

Sound that browsers play is copied as it is; any other is encoded anew.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from maskage.cameras.video.container import open_video
from maskage.console import say
from maskage.context_mixin import ClosingMixin

if TYPE_CHECKING:
    from av import AudioResampler, AudioStream, Packet
    from av.container import OutputContainer

_COPIED = ("aac", "mp3", "opus", "flac", "vorbis")
"""Codecs that browsers play."""
_ENCODED = ("aac", "libopus", "libmp3lame")
"""Encoders for all other sound, the first that fits the file."""
_CODECS = {"aac": "aac", "libopus": "opus", "libmp3lame": "mp3"}


class SoundTrack(ClosingMixin):
    """The sound of a video file, packet by packet.

    Args:
        source: The file.
        find_begin: Returns the time of its first picture by its own clock, in seconds. Called once
            the first picture is there.
        report: Gets messages for people.

    Attributes:
        codec: Name of the codec in the source.

    Raises:
        CameraError: The file cannot be opened.
    """

    def __init__(
        self, source: Path, find_begin: Callable[[], float], report: Callable[[str], None] = say
    ) -> None:
        from av import AudioStream

        video = open_video(source)
        self._container, self._name = video.container, source.name
        stream = self._container.streams.best("audio")
        assert isinstance(stream, AudioStream)
        self._source = stream
        self.codec = self._source.codec_context.codec.canonical_name
        self._find_begin, self._report = find_begin, report
        self._copy: AudioStream | None = None
        self._encoded: AudioStream | None = None
        self._resampler: AudioResampler | None = None
        self._waiting: list[Packet[AudioStream]] = []
        self._found: Iterator[Packet[AudioStream]] = iter(())
        self._broken = 0

    def add_to(self, container: "OutputContainer") -> None:
        """Add a stream for it to a file that is open for writing and has no packets yet."""
        if self.codec in _COPIED and self.codec in container.supported_codecs:
            self._copy = container.add_stream_from_template(self._source)
            self._found = self._copy_packets(self._copy)
            return
        encoder = next(
            (each for each in _ENCODED if _CODECS[each] in container.supported_codecs), None
        )
        if encoder is None:
            self._report(f"{self._name}: its sound cannot be written into this kind of file.")
            return
        self._encoded = self._add_encoder(container, encoder)
        self._report(
            f"{self._name}: its sound ({self.codec}) is encoded as {_CODECS[encoder]}, which "
            f"browsers play."
        )
        self._found = self._encode_packets(self._encoded)

    def packets(self, until_s: float) -> Iterator["Packet[AudioStream]"]:
        """Yield the packets that begin before this second of the video, each once."""
        while True:
            if not self._waiting:
                packet = next(self._found, None)
                if packet is None:
                    return
                self._waiting.append(packet)
            packet = self._waiting[0]
            assert packet.pts is not None
            if float(packet.pts * packet.time_base) >= until_s:
                return
            yield self._waiting.pop(0)

    def close(self) -> None:
        """Release the file, and report what could not be read."""
        if self._broken:
            self._report(
                f"{self._name}: {self._broken} pieces of its sound could not be decoded, and are "
                f"left out."
            )
            self._broken = 0
        self._container.close()

    def _add_encoder(self, container: "OutputContainer", encoder: str) -> "AudioStream":
        from av import AudioResampler, AudioStream

        rate = 48_000 if encoder == "libopus" else self._source.rate
        stream = container.add_stream(encoder, rate)
        assert isinstance(stream, AudioStream)
        layout = "mono" if self._source.codec_context.channels == 1 else "stereo"
        stream.codec_context.layout = layout
        self._resampler = AudioResampler(stream.codec_context.format, layout, rate)
        return stream

    def _source_packets(self) -> Iterator["Packet[AudioStream]"]:
        import av

        try:
            yield from self._container.demux(self._source)
        except av.FFmpegError:
            # The pictures come to the same place, and say what is wrong.
            self._broken += 1

    def _copy_packets(self, stream: "AudioStream") -> Iterator["Packet[AudioStream]"]:
        begin, last = None, -1
        for packet in self._source_packets():
            if packet.pts is None or packet.time_base is None or packet.is_corrupt:
                self._broken += packet.size > 0
                continue
            begin = round(self._find_begin() / packet.time_base) if begin is None else begin
            packet.pts -= begin
            packet.dts = packet.pts
            if packet.pts > last:
                last = packet.pts
                packet.stream = stream
                yield packet

    def _encode_packets(self, stream: "AudioStream") -> Iterator["Packet[AudioStream]"]:
        import av

        assert self._resampler is not None
        for packet in self._source_packets():
            try:
                sounds = self._source.decode(packet)
            except av.FFmpegError:
                self._broken += 1
                continue
            for sound in sounds:
                if sound.pts is None or sound.time_base is None:
                    continue
                sound.pts -= round(self._find_begin() / sound.time_base)
                if sound.pts >= 0:
                    for part in self._resampler.resample(sound):
                        yield from stream.encode(part)
        for part in self._resampler.resample(None):
            yield from stream.encode(part)
        yield from stream.encode(None)
