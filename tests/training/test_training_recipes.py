"""Recipes are whole: a walk over all of them."""

import pytest

from striate.errors import UsageError
from striate.network import specify
from striate.training import Recipe, Settings, make_settings, recipe, recipes
from striate.training._optimizers import optimizers
from striate.training._schedules import schedules


@pytest.mark.parametrize("one", recipes(), ids=lambda one: one.name)
def test_a_recipe_is_valid_and_leaves_no_number_to_chance(one: Recipe) -> None:
    settings = make_settings(one.settings)
    assert one.title
    assert settings.optimizer.name in {entry.name for entry in optimizers()}
    assert settings.schedule.name in {entry.name for entry in schedules()}
    assert settings.training.epochs and settings.training.batch_size
    assert settings.optimizer.learning_rate
    varied = settings.augmentation.model_dump()
    assert all(value is not None for value in varied.values())
    size = settings.data.image_size or 28
    side = size if isinstance(size, int) else size[0]
    channels = settings.data.channels or 1
    specify(
        settings.network.name or "",
        shape=(channels, side, side),
        outputs=10,
        options=settings.network.options,
    )


def test_everything_else_wins_over_a_recipe() -> None:
    settings = make_settings(recipe("cnn3").settings, {"training": {"epochs": 1}})
    assert (settings.training.epochs, settings.training.batch_size) == (1, 64)
    assert Settings().training.epochs is None


def test_an_unknown_recipe_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        recipe("cnn_3")
    assert str(caught.value) == (
        "There is no recipe called 'cnn_3'. Did you mean 'cnn3'? "
        "Known: quick, cifar10, cifar10-quick, cifar10-best, digits-best, cnn3, cnn3-plateau, cnn5, "
        "cnn64, cnn-gap."
    )
