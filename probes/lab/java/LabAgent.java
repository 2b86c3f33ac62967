import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** Does to a broker's heap what bad code does; loaded into it with jcmd JVMTI.agent_load. */
public final class LabAgent {
    private static final List<Object> HELD = new ArrayList<>();

    public static void premain(String arguments) {
        agentmain(arguments);
    }

    /**
     * arguments: "leak,left=MiB", "sysgc,live=MiB,every=ms", "alloc,rate=MiB a second" or
     * "humongous,size=KiB,rate=MiB a second,live=MiB".
     */
    public static void agentmain(String arguments) {
        String[] parts = arguments.split(",");
        Runnable work = switch (parts[0]) {
            case "leak" -> () -> leak(number(parts, "left"));
            case "sysgc" -> () -> sysgc(number(parts, "live"), number(parts, "every"));
            case "alloc" -> () -> alloc(16, number(parts, "rate"), 0);
            case "humongous" -> () -> alloc(number(parts, "size"), number(parts, "rate"), number(parts, "live"));
            default -> throw new IllegalArgumentException(arguments);
        };
        Thread thread = new Thread(work, "lab-agent");
        thread.setDaemon(true);
        thread.start();
    }

    /**
     * Holds all of the heap but so many MiB; what a collection frees it takes again. At one size young collections may
     * find just enough for ever, so that every few seconds it leaves one MiB less, down to five: enough to live on in misery.
     */
    private static void leak(long left) {
        Runtime vm = Runtime.getRuntime();
        long begun = System.nanoTime();
        long first = left;
        while (true) {
            left = Math.max(5, first - (System.nanoTime() - begun) / 4_000_000_000L);
            long free = vm.maxMemory() - vm.totalMemory() + vm.freeMemory();
            if (free > left << 20) {
                try {
                    HELD.add(new byte[64 << 10]); // small enough never to be humongous
                } catch (OutOfMemoryError full) {
                    pause(100);
                }
            } else {
                pause(20);
            }
        }
    }

    /** Holds so many MiB in small objects, and asks for a full collection at a rhythm. */
    private static void sysgc(long live, long every) {
        for (long i = 0; i < live << 20; i += 48) { // an Object[2] and its place in the list
            HELD.add(new Object[] {i, null});
        }
        while (true) {
            System.gc();
            pause(every);
        }
    }

    /** Allocates arrays of so many KiB at a rate, and holds the newest so many MiB of them. */
    private static void alloc(long size, long rate, long live) {
        ArrayDeque<byte[]> held = new ArrayDeque<>();
        long each = size << 10;
        long begun = System.nanoTime();
        long made = 0;
        while (true) {
            long due = (rate << 20) * ((System.nanoTime() - begun) / 1_000_000) / 1000;
            if (due - made > rate << 20) { // stopped for long: what was missed is not made up for
                made = due;
            }
            while (made < due) {
                byte[] array = new byte[(int) each];
                made += each;
                held.add(array);
                while (held.size() * each > live << 20) {
                    held.remove();
                }
            }
            pause(2);
        }
    }

    private static long number(String[] parts, String name) {
        for (String part : parts) {
            if (part.startsWith(name + "=")) {
                return Long.parseLong(part.substring(name.length() + 1));
            }
        }
        throw new IllegalArgumentException(name + " is missing");
    }

    private static void pause(long ms) {
        try {
            Thread.sleep(ms);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
