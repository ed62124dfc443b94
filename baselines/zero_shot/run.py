"""The command: which model is asked how, within which budget, on which episodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from langrearrange.agents import Limits
from langrearrange.cli.common import note
from langrearrange.cli.evaluate import RunOptions
from langrearrange.env import Rules
from langrearrange.errors import MissingExtraError, UsageError
from langrearrange.leaderboard import AgentFacts

from ..command import run_module
from .agent import ChatAgents
from .endpoint import Endpoint
from .model import Account, ChatModel, Prices
from .prompts import DESIGNS, DesignName


@dataclass(frozen=True, kw_only=True)
class ZeroShotArgs(RunOptions):
    r"""Let a chat model play without training, and write a trace for `langrearrange score`.

    The model is behind an OpenAI-compatible address (--base-url, --model), or a Hugging Face model
    in a folder (--local). What it was told and answered goes to a transcript beside the trace. The
    same command continues a run that was interrupted or whose budget was spent.

      python -m langrearrange_baselines.zero_shot --base-url http://127.0.0.1:8000/v1 \
        --model my-model --episodes train_eval --num-episodes 20 --out out/chat.jsonl.gz
    """

    design: DesignName = "chatgpt"
    """chatgpt: text, feedback each turn; llama: blind, one plan; flamingo: one plan from the first
    picture"""
    base_url: str = ""
    """address of the endpoint, up to and with /v1; by default what OPENAI_BASE_URL says"""
    model: str = ""
    """name of the model at the endpoint"""
    key_variable: str = "OPENAI_API_KEY"
    """environment variable with the key, if the endpoint needs one"""
    local: str = ""
    """smollm2 (extra [smollm2]) or the folder of a Hugging Face model, instead of an endpoint"""
    choice: Literal["answer", "logprobs"] = "answer"
    """answer: read the action from the answer; logprobs: take the likeliest action"""
    few_shot: bool = True
    """give examples in the prompt"""
    history: int = 0
    """send only so many of the last turns; 0: all, fewer when the model's context is too short"""
    max_answer_tokens: int = 512
    """an answer is cut off there"""
    temperature: float | None = 0.0
    """None leaves it to the endpoint"""
    threads: int = 1
    """of torch, for --local"""
    concurrency: int = 8
    """episodes open at a time; one with --local"""
    retries: int = 5
    """of a request, with exponential back-off"""
    step_timeout_s: float = 60.0
    """for one request"""
    episode_timeout_s: float = 600.0
    """for all requests of an episode together; longer fails the episode"""
    max_tokens: int = 0
    """budget of the run, prompts and answers; 0: none. A run that has spent it stops; raise it to
    continue"""
    max_price: float = 0.0
    """the same in money, by the prices below"""
    prompt_price: float = 0.0
    """per million tokens"""
    completion_price: float = 0.0
    """per million tokens"""
    transcript: Path | None = None
    """JSON lines of all requests and answers; by default OUT with .transcript.jsonl"""
    hard: bool = False
    """the harder variant (paper D.3)"""

    def __post_init__(self) -> None:
        if bool(self.model) == bool(self.local):
            raise UsageError("give either --model of an endpoint or --local FOLDER")
        for name in ("history", "max_tokens", "max_price", "prompt_price", "completion_price"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name}={getattr(self, name)}; accepted: 0 or more")
        if self.max_price and not (self.prompt_price or self.completion_price):
            raise UsageError("--max-price needs --prompt-price and --completion-price")
        if self.choice == "logprobs" and DESIGNS[self.design].plan:
            raise UsageError(f"--choice logprobs chooses one skill a turn; {self.design} plans")

    @property
    def transcript_path(self) -> Path:
        """Where the transcript goes."""
        name = self.out.name.removesuffix(".gz").removesuffix(".jsonl")
        return self.transcript or self.out.with_name(f"{name}.transcript.jsonl")


def run(args: ZeroShotArgs) -> Path:
    """Play, with progress on stderr; return the path of the trace."""
    path = args.transcript_path
    part = args.out.with_name(args.out.name + ".part")
    if path.exists() and not part.exists():  # of a run that is over
        if not args.force:
            raise UsageError(f"{path} exists; choose another --out, or pass --force")
        path.unlink()
    prices = Prices(
        prompt=args.prompt_price,
        completion=args.completion_price,
        max_tokens=args.max_tokens,
        max_price=args.max_price,
    )
    account = Account(path, prices)
    agents = ChatAgents(
        model=model_of(args),
        account=account,
        design=args.design,
        choice="answer" if args.choice == "answer" else "names" if args.local else "numbers",
        few_shot=args.few_shot,
        history=args.history,
        rules=Rules(hard=args.hard, horizon=args.horizon),
        limits=Limits(step_s=args.step_timeout_s, episode_s=args.episode_timeout_s),
    )
    try:
        return args.play(
            agents,
            facts_of(args),
            hard=args.hard,
            concurrency=1 if args.local else args.concurrency,
        )
    finally:
        agents.model.close()
        note(f"{account.summary()}; transcript: {path}")


def model_of(args: ZeroShotArgs) -> ChatModel:
    """Return the model that is asked; MissingExtraError if its package is missing."""
    if args.local:
        try:
            from .local import LocalModel
        except ImportError as error:
            raise MissingExtraError("--local", "train", str(error.name)) from None
        return LocalModel(
            args.local, max_answer_tokens=args.max_answer_tokens, threads=args.threads
        )
    return Endpoint(
        args.base_url,
        args.model,
        key_variable=args.key_variable,
        max_answer_tokens=args.max_answer_tokens,
        temperature=args.temperature,
        retries=args.retries,
    )


def facts_of(args: ZeroShotArgs) -> AgentFacts:
    """Return what the trace declares; neither address nor key."""
    model = args.model or Path(args.local).name
    shots = "few-shot" if args.few_shot else "no examples"
    return AgentFacts(
        name=args.name or f"ZS-{args.design} {model}"[:100],
        modality=DESIGNS[args.design].modality,
        perception=args.perception,
        train_data="none of this benchmark",
        note=f"{model}, design {args.design}, choice by {args.choice}, {shots}, history "
        f"{args.history or 'all'}, temperature {args.temperature}",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_module("zero_shot", ZeroShotArgs, run, arguments)
