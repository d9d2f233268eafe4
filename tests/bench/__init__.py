"""Speed beside peers, each pair measured in one run: `./run_all.sh bench NAME`."""
