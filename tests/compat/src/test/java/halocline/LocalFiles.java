package halocline;

import java.io.File;
import java.net.URI;
import org.apache.iceberg.Files;
import org.apache.iceberg.io.FileIO;
import org.apache.iceberg.io.InputFile;
import org.apache.iceberg.io.OutputFile;

/** The files of this machine, by file:/ location or path, without Hadoop. */
public class LocalFiles implements FileIO {
  @Override
  public InputFile newInputFile(String location) {
    return new Located(Files.localInput(file(location)), location);
  }

  @Override
  public OutputFile newOutputFile(String location) {
    return new LocatedOutput(Files.localOutput(file(location)), location);
  }

  @Override
  public void deleteFile(String location) {
    if (!file(location).delete()) {
      throw new IllegalStateException("cannot delete " + location);
    }
  }

  private static File file(String location) {
    return location.startsWith("file:") ? new File(URI.create(location).getPath()) : new File(location);
  }

  private record Located(InputFile file, String location) implements InputFile {
    @Override
    public long getLength() {
      return file.getLength();
    }

    @Override
    public org.apache.iceberg.io.SeekableInputStream newStream() {
      return file.newStream();
    }

    @Override
    public boolean exists() {
      return file.exists();
    }
  }

  private record LocatedOutput(OutputFile file, String location) implements OutputFile {
    @Override
    public org.apache.iceberg.io.PositionOutputStream create() {
      return file.create();
    }

    @Override
    public org.apache.iceberg.io.PositionOutputStream createOrOverwrite() {
      return file.createOrOverwrite();
    }

    @Override
    public InputFile toInputFile() {
      return new Located(file.toInputFile(), location);
    }
  }
}
