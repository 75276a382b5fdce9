"""The verbs of the command line: one thin function each, whose imports happen inside."""

from __future__ import annotations

import argparse


def is_override(argument: str) -> bool:
    return "=" in argument and not argument.startswith("-")


def run_train(arguments: argparse.Namespace) -> int:
    """``rlcs train``"""
    from pathlib import Path

    from rlcs.config import RunConfig
    from rlcs.config_file import load_config
    from rlcs.errors import ConfigError

    if arguments.schema:
        return _print_schema(RunConfig)
    path, overrides = arguments.config, arguments.overrides
    if arguments.resume is None:
        if path is None:
            raise ConfigError("expected a config file, or --resume RUN; see rlcs train --help.")
        if arguments.reconcile:
            raise ConfigError("--reconcile is about a run's state: expected --resume RUN with it.")
        config, resume = load_config(path, overrides, kind=RunConfig), None
    else:
        from rlcs.training.run_folder import find_run_config

        resume = Path(arguments.resume)
        own = find_run_config(resume)
        if path is not None and is_override(path):
            path, overrides = None, [path, *overrides]
        config = load_config(path or own, overrides, kind=RunConfig)
    from rlcs.training.train import train

    return train(config, resume, reconcile=arguments.reconcile)


def run_sft(arguments: argparse.Namespace) -> int:
    """``rlcs sft``"""
    from rlcs.config import SftConfig
    from rlcs.config_file import load_config
    from rlcs.errors import ConfigError

    if arguments.schema:
        return _print_schema(SftConfig)
    if arguments.config is None:
        raise ConfigError("expected a config file; see rlcs sft --help.")
    config = load_config(arguments.config, arguments.overrides, kind=SftConfig)
    from rlcs.training.sft import sft

    return sft(config)


def run_grade(arguments: argparse.Namespace) -> int:
    """``rlcs grade``"""
    from rlcs.config_file import load_config
    from rlcs.errors import ConfigError
    from rlcs.grade_config import GradeConfig

    if arguments.schema:
        return _print_schema(GradeConfig)
    if arguments.config is None:
        raise ConfigError("expected a config file; see rlcs grade --help.")
    config = load_config(arguments.config, arguments.overrides, kind=GradeConfig)
    from rlcs.training.grading.grade import grade

    return grade(config)


def run_eval(arguments: argparse.Namespace) -> int:
    """``rlcs eval``"""
    from rlcs.config import RunConfig
    from rlcs.config_file import load_config

    config = load_config(arguments.config, arguments.overrides, kind=RunConfig)
    from rlcs.training.examine import examine

    return examine(config, model=arguments.model, json_path=arguments.json)


def run_check(arguments: argparse.Namespace) -> int:
    """``rlcs check``"""
    from rewards.check.command import run_check as check_cases

    if arguments.cases.suffix not in (".yaml", ".yml"):
        return check_cases(arguments)
    from rlcs.training.cases import check_config

    return check_config(arguments)


def run_simulate(arguments: argparse.Namespace) -> int:
    """``rlcs simulate``"""
    from rlcs.training.what_if import simulate

    return simulate(arguments)


def run_export(arguments: argparse.Namespace) -> int:
    """``rlcs export``"""
    from pathlib import Path

    from rlcs.training.export import export

    return export(Path(arguments.run), Path(arguments.out))


def run_doctor(arguments: argparse.Namespace) -> int:
    """``rlcs doctor``"""
    from rlcs.config import RunConfig
    from rlcs.config_file import load_config

    config = load_config(arguments.config, arguments.overrides, kind=RunConfig)
    from rlcs.training.doctor import examine_run

    return examine_run(config)


def run_submit(arguments: argparse.Namespace) -> int:
    """``rlcs submit``"""
    from pathlib import Path

    from rlcs.training.submit import submit

    return submit(
        arguments.config,
        arguments.overrides,
        address=arguments.address,
        requirements=arguments.requirements and Path(arguments.requirements),
        variables=arguments.env,
        follow=not arguments.no_follow,
    )


def run_serve(arguments: argparse.Namespace) -> int:
    """``rlcs serve``"""
    from pathlib import Path

    from rlcs.training.serve import serve

    return serve(
        Path(arguments.model), host=arguments.host, port=arguments.port, options=arguments.option
    )


def _print_schema(kind: type) -> int:
    import json

    from rlcs.config_file import config_schema

    print(json.dumps(config_schema(kind), indent=2))
    return 0
