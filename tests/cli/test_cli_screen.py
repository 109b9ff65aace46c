"""What a run prints."""

import io

from striate.cli._screen import Screen
from striate.training import Step


def step(seconds: float, epochs: int = 40) -> Step:
    return Step(
        epoch=1,
        epochs=epochs,
        index=1,
        steps=9,
        loss=1.0,
        images_per_second=5,
        seconds_left=seconds,
    )


def printed(seconds: float, steps: int, *, quiet: bool = False, epochs: int = 40) -> str:
    stream = io.StringIO()
    screen = Screen(stream, quiet=quiet)
    for _ in range(steps):
        screen.step(step(seconds, epochs))
    return stream.getvalue()


def test_the_time_that_a_run_will_take_is_told_once_after_ten_steps() -> None:
    assert printed(75.0, 9) == ""
    assert printed(75.0, 30) == "about 1:15 min to the end of 40 epochs\n"
    assert printed(3700.0, 10, epochs=1) == "about 1:01 h to the end of 1 epoch\n"
    assert printed(9.9, 30) == ""
    assert printed(75.0, 30, quiet=True) == ""


def test_whether_an_empty_line_was_the_last_is_known() -> None:
    screen = Screen(io.StringIO())
    assert not screen.apart
    screen.found([("task", "classification", "")])
    assert screen.apart
    screen.warn("odd")
    assert not screen.apart
    screen.say("")
    assert screen.apart
    screen.say("epoch 1/1")
    assert not screen.apart
