# Starts and stops the mock upstream and what is measured, all on loopback and on ports that were free; sourced by run.sh.
# A target is a name; `target_command` knows how each one is run. CORE_LOAD gets mock and driver, CORE_PROXY the proxies.
# After start_targets: `names`, and by name `port_of`, `pid_of`, `fields_of` (extra header fields, one a line).
CORE_LOAD=${CORE_LOAD:-0} CORE_PROXY=${CORE_PROXY:-1}
TOLLGATE=${TOLLGATE:-$ROOT/build/release/src/app/tollgate}
RUN=$TOOLS/run
API=/v1/chat/completions
names=()
declare -A port_of=() pid_of=() fields_of=()

free_ports() { # COUNT
  python3 - "$1" <<'END'
import socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(s.getsockname()[1] for s in sockets))
END
}

fill() { # FILE.in MARK=VALUE...: the file with its @MARK@s replaced
  local text mark
  text=$(<"$ROOT/bench/conf/$1")
  for mark in "${@:2}"; do text=${text//@${mark%%=*}@/${mark#*=}}; done
  printf '%s\n' "$text"
}

certificate() { # made when first wanted; nobody verifies it
  [[ -f $RUN/cert.pem ]] ||
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost \
      -keyout "$RUN/key.pem" -out "$RUN/cert.pem" 2>/dev/null
}

# The header timeout is nginx's: on a busy machine the driver takes more than 10 s to open 2,000 TLS connections.
tollgate_config() { # NAME PORT [LINE OF server]: writes NAME.yaml
  local ports
  read -r -a ports < <(free_ports 2)
  fill tollgate.yaml.in PORT="$2" ADMIN="${ports[0]}" METRICS="${ports[1]}" LOG="$RUN/$1.access.log" \
    UPSTREAM="${port_of[direct]}" SERVER="header_timeout: 60s${3:+$'\n  '$3}" PROVIDER="" IDLE=600s >"$RUN/$1.yaml"
}

target_command() { # NAME PORT: sets `command`; fails where the target cannot be run
  local name=$1 port=$2 upstream=${port_of[direct]:-$2} tls=""
  fields_of[$name]=""
  case $name in
    direct) command=("$TOOLS/mock" --port "$port") ;;
    floor) command=("$TOOLS/floor" --port "$port" --upstream "http://127.0.0.1:$upstream") ;;
    floor-spin) command=("$TOOLS/floor" --port "$port" --upstream "http://127.0.0.1:$upstream" --spin) ;;
    nginx | nginx-tls)
      command -v nginx >/dev/null || return 1
      [[ $name == nginx ]] || { certificate; tls="ssl; ssl_certificate cert.pem; ssl_certificate_key key.pem"; }
      mkdir -p "$RUN/tmp-$port"
      fill nginx.conf.in PORT="$port" UPSTREAM="$upstream" TLS="$tls" >"$RUN/$name.conf"
      command=(nginx -p "$RUN/" -c "$name.conf" -e "nginx-$port.log") ;;
    haproxy)
      command -v haproxy >/dev/null || return 1
      fill haproxy.cfg.in PORT="$port" UPSTREAM="$upstream" >"$RUN/haproxy.cfg"
      command=(haproxy -db -f "$RUN/haproxy.cfg") ;;
    tollgate) tollgate_config "$name" "$port" && command=("$TOLLGATE" serve --config "$RUN/$name.yaml") ;;
    tollgate-full) # with a key, its limits, a price, a budget and the ledger
      mkdir -p "$RUN/full-$port"
      echo "{version: 1, providers: {upstream: {mock: {input: 2, output: 10, source: made up}}}}" >"$RUN/full-$port/prices.yaml"
      tollgate_config "$name" "$port"
      fill tollgate-full.yaml.in FOLDER="$RUN/full-$port" >>"$RUN/$name.yaml"
      command=("$TOLLGATE" serve --config "$RUN/$name.yaml") ;;
    tollgate-spin) # spins longer than requests are apart at the lowest rate, or it would sleep before each
      tollgate_config "$name" "$port" "spin: ${SPIN:-1ms}"
      "$TOLLGATE" check "$RUN/$name.yaml" >/dev/null 2>&1 || return 1 # a build without the option
      command=("$TOLLGATE" serve --config "$RUN/$name.yaml") ;;
    tollgate-tls)
      certificate
      tollgate_config "$name" "$port" "tls: {certificate: \"$RUN/cert.pem\", private_key: \"$RUN/key.pem\"}"
      command=("$TOLLGATE" serve --config "$RUN/$name.yaml") ;;
    portkey)
      local script=$TOOLS/portkey/node_modules/@portkey-ai/gateway/build/start-server.js
      [[ -f $script ]] || return 1
      fields_of[$name]="x-portkey-provider: openai"$'\n'"x-portkey-custom-host: http://127.0.0.1:$upstream/v1"
      command=(env NODE_ENV=production node "$script" --port="$port" --headless) ;;
    litellm)
      [[ -x $TOOLS/litellm/bin/litellm ]] || return 1
      fill litellm.yaml.in UPSTREAM="$upstream" >"$RUN/litellm.yaml"
      command=(env LITELLM_LOG=ERROR LITELLM_LOCAL_MODEL_COST_MAP=True "$TOOLS/litellm/bin/litellm"
        --config "$RUN/litellm.yaml" --host 127.0.0.1 --port "$port" --num_workers 1) ;;
    *) echo "there is no target '$name'" >&2; return 1 ;;
  esac
}

await_port() { # NAME PORT PID
  local deadline=$((SECONDS + 60))
  until (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null; do
    if ((SECONDS > deadline)) || ! kill -0 "$3" 2>/dev/null; then
      echo "$1 does not listen:" >&2
      tail -n 20 "$RUN/$1.out" >&2
      return 1
    fi
    sleep 0.05
  done
}

start_target() { # NAME
  local name=$1 core=$CORE_PROXY port
  local -a command=()
  port=$(free_ports 1)
  target_command "$name" "$port" || { echo "($name is left out)" >&2; return 0; }
  [[ $name != direct ]] || core=$CORE_LOAD
  (ulimit -n "$(ulimit -H -n)"; exec taskset -c "$core" "${command[@]}") >"$RUN/$name.out" 2>&1 &
  pid_of[$name]=$! port_of[$name]=$port
  await_port "$name" "$port" "${pid_of[$name]}" || { echo "($name is left out)" >&2; return 0; }
  names+=("$name")
}

start_targets() { # NAME...: after `direct`, which is always the first
  local name
  mkdir -p "$RUN"
  start_target direct
  for name in "$@"; do start_target "$name"; done
}

stop_targets() {
  local pid
  for pid in ${pid_of[@]+"${pid_of[@]}"}; do kill "$pid" 2>/dev/null || true; done
  for pid in ${pid_of[@]+"${pid_of[@]}"}; do wait "$pid" 2>/dev/null || true; done
  names=() port_of=() pid_of=() fields_of=()
  rm -rf "$RUN"/*.access.log "$RUN"/full-*
}
