# Takes $day from the archive: no header, the columns that the tasks below use.
set -eu
archive="../../data/flights/$day.csv"
folder="../../staging/flights/$day"

if [ ! -s "$archive" ]; then
    echo "the archive holds no flights of $day (data/flights/$day.csv)" >&2
    exit 1
fi

mkdir -p "$folder"
# dep_time, dep_delay, arr_delay, carrier, flight, tailnum, origin, dest, distance, hour, minute
tail -n +2 "$archive" | cut -d, -f4,6,9-14,16-18 > "$folder/.day.$$"
mv "$folder/.day.$$" "$folder/day.csv"
echo "$(wc -l < "$folder/day.csv") departures on $day"
