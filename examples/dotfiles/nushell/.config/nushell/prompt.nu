# Two lines: where, and a sign that is red after a failure.
$env.PROMPT_COMMAND = {||
  let where = $env.PWD | str replace $env.HOME "~"
  $"(ansi blue)($where)(ansi reset)\n"
}
$env.PROMPT_COMMAND_RIGHT = ""
$env.PROMPT_INDICATOR = {||
  if $env.LAST_EXIT_CODE == 0 { $"(ansi green)>(ansi reset) " } else { $"(ansi red)>(ansi reset) " }
}
